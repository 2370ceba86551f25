import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { computeQueue, surveyAnswer, surveyPage, type SurveyAnswer } from '@nubo/contract'
import type { ServerId } from '@nubo/kernel'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { guestSpecification, newServer, TestHost } from './testing/test-agent.js'

describe('a survey', () => {
  let host: TestHost

  beforeEach(async () => {
    host = await TestHost.make()
    await host.startAgent()
  })
  afterEach(() => host.close())

  async function survey(after?: ServerId): Promise<SurveyAnswer> {
    const answer = await host.queue.ask(computeQueue(host.hostId), { kind: 'survey', after }, 10_000)
    expect(answer).toMatchObject({ ok: true })
    return surveyAnswer.parse((answer as { value: unknown }).value)
  }

  const build = (serverId: ServerId) => host.conductor.done({ kind: 'build', serverId, guest: guestSpecification() })

  it('tells of guests, disks and the journal, as they are', async () => {
    const serverId = newServer()
    await build(serverId)
    const built = await survey()
    expect(built).toMatchObject({ next: null, strays: [] })
    expect(built.servers).toMatchObject([
      {
        serverId,
        domain: { incarnation: 1, fencingEpoch: 1, powerState: 1 },
        folders: [{ incarnation: 1 }],
        journal: { fence: 1, incarnation: 1, ended: true, tombstone: 0 },
      },
    ])
    expect(built.servers[0]!.folders[0]!.bytes).toBeGreaterThan(0)
    await host.hypervisor.powerOff(serverId)
    await host.hypervisor.undefine(serverId)
    expect((await survey()).servers).toMatchObject([{ serverId, domain: null, folders: [{ incarnation: 1 }] }])
    await host.conductor.done({ kind: 'destroy', serverId })
    expect((await survey()).servers).toMatchObject([
      { serverId, domain: null, folders: [], journal: { fence: 2, ended: true, tombstone: 1 } },
    ])
  })

  it('tells of what is nobody’s', async () => {
    await mkdir(join(host.directory, 'guests', 'lost'))
    expect((await survey()).strays).toEqual(['lost'])
  })

  it('is answered in pages, which together hold every server once', async () => {
    const all = Array.from({ length: surveyPage + 3 }, () => newServer())
    const definition = { projectId: 'p' as never, incarnation: 1, fencingEpoch: 1, name: 'x', vcpus: 1, memoryMiB: 1 }
    for (const serverId of all) await host.hypervisor.define({ ...definition, serverId, disks: [], nics: [] })
    const first = await survey()
    expect(first.servers).toHaveLength(surveyPage)
    const second = await survey(first.next!)
    expect(second.next).toBeNull()
    const told = [...first.servers, ...second.servers].map(({ serverId }) => serverId)
    expect(told).toEqual(all.toSorted())
  })
})
