import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'

stopCloudsAfterEach()

const host = {
  ...{ id: 'a0000000-0000-4000-8000-000000000001', name: 'rack-3', state: 'up', why: null, what_to_do: null, status: 'enabled' },
  ...{ disabled_reason: null, address: '192.0.2.3', virt_type: 'kvm', fencing_epoch: 1, last_heard_at: '2026-11-26T03:00:00Z' },
  ...{ servers: 4, waiting_steps: 1, tombstones: [], abandoned: [] },
}

async function withHosts(hosts: unknown[] = [host], heard = true) {
  const made = await aCloud()
  made.cloud.on('GET', /nubo\/v1\/hosts$/, () => ({ body: { hosts, hosts_are_heard: heard } }))
  made.cloud.on('POST', /nubo\/v1\/hosts\/[^/]+\/(fence|release)$/, () => ({ body: { host } }))
  const fenced = () => made.cloud.sent('POST', /\/fence$/).length
  return { ...made, fenced }
}

describe('hosts', () => {
  it('are listed with what they are', async () => {
    const { nubo } = await withHosts()
    expect(await nubo('host list')).toMatchObject({
      code: 0,
      stdout: [
        'NAME    STATE  STATUS   LAST HEARD            SERVERS  WAITING FOR IT',
        'rack-3  up     enabled  2026-11-26T03:00:00Z        4               1',
        '',
      ].join('\n'),
      stderr: '',
    })
  })

  it('are listed with a word where it is the cloud that is deaf', async () => {
    const { nubo } = await withHosts([], false)
    expect((await nubo('host list')).stderr).toContain('Hosts cannot be heard at the moment')
  })

  it('are shown with why, what to do, what they hold, and what is found on them', async () => {
    const { cloud, nubo } = await withHosts()
    const shown = {
      ...{
        ...host,
        state: 'quarantined',
        why: 'Its journal was lost.',
        what_to_do: 'Look at its disk.',
        answered: true,
        trouble: null,
      },
      tombstones: [{ server_id: 's1', incarnation: 2 }],
      findings: [{ code: 'guest.unknown', message: 'A guest is nobody’s.', repair: { possible: false, how: 'Look at it.' } }],
    }
    cloud.on('GET', new RegExp(`nubo/v1/hosts/${host.id}$`), () => ({ body: { host: shown } }))
    const { stdout } = await nubo('host show rack-3')
    for (const text of [
      'quarantined',
      'Its journal was lost.',
      'Look at its disk.',
      's1 (incarnation 2)',
      'A guest is nobody’s. Look at it.',
    ])
      expect(stdout).toContain(text)
    expect((await nubo('host show rack-3 --json')).json()).toMatchObject({
      tombstones: [{ server_id: 's1', incarnation: 2 }],
      findings: [{ code: 'guest.unknown', message: 'A guest is nobody’s.', to_do: 'Look at it.' }],
    })
    expect((await nubo('host show nowhere')).code).toBe(3)
  })

  it('are fenced when the question is answered with their name, and not otherwise', async () => {
    const { nubo, fenced } = await withHosts()
    const refused = await nubo('host fence rack-3', { answer: 'yes' })
    expect(refused).toMatchObject({ code: 0, stderr: expect.stringContaining('It is up at this moment.') })
    expect(refused.stderr).toContain('Nothing was done.')
    expect(fenced()).toBe(0)
    expect(await nubo('host fence rack-3', { answer: 'rack-3' })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('fenced rack-3'),
    })
    expect(fenced()).toBe(1)
  })

  it('are fenced without a question where --yes says so, and never where nobody can be asked', async () => {
    const { nubo, fenced } = await withHosts()
    expect(await nubo('host fence rack-3')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    expect(fenced()).toBe(0)
    expect((await nubo('host fence rack-3 --yes')).code).toBe(0)
    expect(fenced()).toBe(1)
  })

  it('are released', async () => {
    const { cloud, nubo } = await withHosts()
    expect(await nubo('host release rack-3')).toMatchObject({ code: 0, stderr: 'released rack-3\n' })
    expect(cloud.sent('POST', /\/release$/)).toHaveLength(1)
  })
})
