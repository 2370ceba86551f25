import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ServerCommand } from '@nubo/contract'
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from './testing/eventually.js'
import { guestSpecification, newServer, TestHost } from './testing/test-agent.js'

describe('an agent whose journal was lost', () => {
  let host: TestHost
  const serverId = newServer()
  const build = (id = serverId) => ({ kind: 'build' as const, serverId: id, guest: guestSpecification() })
  const journal = () => join(host.directory, 'journal')
  const here = async () => (await host.hypervisor.list()).map((guest) => guest.serverId)
  const quarantine = () => host.conductor.all('register').at(-1)!.quarantine
  const powerState = async () => (await host.hypervisor.inspect(serverId))!.powerState

  beforeEach(async () => {
    host = await TestHost.make()
    await host.startAgent()
    await host.conductor.done(build())
    await host.stopAgent()
  })
  afterEach(() => host.close())

  /** Commands, and waits until the agent has passed it over: what came after it was carried out. */
  async function passedOver(order: Parameters<TestHost['conductor']['command']>[0]): Promise<ServerCommand> {
    const command = await host.conductor.command(order)
    await host.conductor.done({ kind: 'reboot', serverId, type: 'hard', graceMs: 0 })
    return command
  }

  it('says so, goes on with its guests, and makes and removes none', async () => {
    await rm(journal(), { recursive: true })
    await host.startAgent()
    expect(quarantine()).toMatch(new RegExp(`knows nothing of 1 guest that is here \\(${serverId}\\)`))
    expect(await powerState()).toBe('running')
    const other = newServer()
    await passedOver(build(other))
    await passedOver({ kind: 'destroy', serverId })
    expect(await here()).toEqual([serverId])
    expect(await host.conductor.done({ kind: 'stop', serverId, graceMs: 1_000 })).toMatchObject({ state: 'done' })
    expect(await host.conductor.done({ kind: 'start', serverId })).toMatchObject({ state: 'done' })
  })

  it('stays so when it is started again, until somebody has looked; then what it was asked is done', async () => {
    await rm(journal(), { recursive: true })
    await host.startAgent()
    const reason = quarantine()
    const destroy = await passedOver({ kind: 'destroy', serverId })
    await host.stopAgent()
    await host.startAgent()
    expect(quarantine()).toBe(reason)
    host.conductor.release = true
    await host.stopAgent()
    await host.startAgent()
    await host.conductor.repeat({ ...destroy, fence: 9, sessionId: host.conductor.sessionId! })
    await eventually(async () => (await here()).length === 0)
    host.conductor.release = false
    await host.stopAgent()
    await host.startAgent()
    expect(quarantine()).toBeNull()
  })

  it.each([
    ['its entry cannot be read', () => writeFile(join(journal(), `${serverId}.json`), '{"fence": 1')],
    ['its entry is missing', () => rm(join(journal(), `${serverId}.json`))],
    ['the disk with the journal is not there', () => rename(journal(), `${journal()}.elsewhere`)],
  ])('is in quarantine where %s', async (_, lose) => {
    await lose()
    await host.startAgent()
    expect(quarantine()).toContain(serverId)
  })

  it('is not in quarantine for a guest that was never ours, nor for an entry of a guest that is gone', async () => {
    const definition = { projectId: 'p' as never, fencingEpoch: 1, name: 'x', vcpus: 1, memoryMiB: 64, disks: [], nics: [] }
    await host.hypervisor.define({ ...definition, serverId: newServer(), incarnation: 1 })
    await writeFile(join(journal(), `${newServer()}.json`), 'torn')
    await host.startAgent()
    expect(quarantine()).toBeNull()
  })

  it('is not in quarantine where nothing was here', async () => {
    await host.startAgent()
    await host.conductor.done({ kind: 'destroy', serverId })
    await host.stopAgent()
    await rm(journal(), { recursive: true })
    await host.startAgent()
    expect(quarantine()).toBeNull()
    expect(await readdir(journal())).toEqual(['host'])
  })

  it('removes what was given up while it was fenced all the same: its records name it', async () => {
    await rm(journal(), { recursive: true })
    host.conductor.fencingEpoch = 2
    host.conductor.remove = [{ serverId, incarnation: 1, fencingEpoch: 1 }]
    await host.startAgent()
    expect(quarantine()).not.toBeNull()
    expect(await here()).toEqual([])
  })
})
