import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'

stopCloudsAfterEach()

const finding = {
  promise: 1,
  code: 'room.counters-differ',
  message: 'Host one counts 3 vCPU as used; its allocations are 2.',
  since: '2026-11-26T03:00:00Z',
  repair: { possible: true, how: 'The counters are set to the sum.' },
}
const tombstone = {
  ...{ server_id: 's1', host: 'two', host_alive: false, since: '2026-11-26T02:00:00Z' },
  ...{ vcpus: 1, memory_mib: 512, disk_gib: 5, last_failure: null },
}
const abandoned = { server_id: 's2', incarnation: 2, host: 'two', host_id: 'h2', since: '2026-11-26T02:30:00Z' }
const hosts = [
  { name: 'one', answered: true, trouble: null, guests: 4 },
  { name: 'two', answered: false, trouble: 'It is down.', guests: null },
]
const well = { healthy: true, findings: [], tombstones: [], abandoned: [], hosts: [] }

describe('doctor', () => {
  it('counts one host and one guest as one', async () => {
    const { cloud, nubo } = await aCloud()
    const alone = [{ name: 'one', answered: true, trouble: null, guests: 1 }]
    cloud.on('GET', /nubo\/v1\/doctor$/, () => ({ body: { doctor: { ...well, hosts: alone } } }))
    expect((await nubo('doctor')).stderr).toBe('Every promise holds. 1 of 1 host answered, with 1 guest.\n')
  })

  it('says that all is well, with exit code 0; what hosts away still hold is a note', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /nubo\/v1\/doctor$/, () => ({
      body: { doctor: { ...well, tombstones: [tombstone], abandoned: [abandoned], hosts } },
    }))
    expect(await nubo('doctor')).toMatchObject({
      code: 0,
      stdout: [
        'Notes:',
        '  1 vCPU, 512 MiB of memory and 5 GiB of disk are held on host two for server s1, deleted 2026-11-26T02:00:00Z: the host is down.',
        '  Host two is told to remove incarnation 2 of server s2 when it comes back: given up 2026-11-26T02:30:00Z.',
        '  Host two was not looked at. It is down.',
        '',
      ].join('\n'),
      stderr: 'Every promise holds. 1 of 2 hosts answered, with 4 guests.\n',
    })
  })

  it('says what is wrong, since when and what to do, with an exit code of its own', async () => {
    const { cloud, nubo } = await aCloud()
    const byHand = { ...finding, since: null, message: 'Two guests.', repair: { possible: false, how: 'Look at them.' } }
    const doctor = { ...well, healthy: false, findings: [finding, byHand] }
    cloud.on('GET', /nubo\/v1\/doctor$/, () => ({ body: { doctor } }))
    const told = await nubo('doctor')
    expect(told).toMatchObject({ code: 7, stderr: 'nubo: 2 things are not as promised\n' })
    expect(told.stdout).toBe(
      [
        'Host one counts 3 vCPU as used; its allocations are 2.',
        '  promise 1, room.counters-differ, since 2026-11-26T03:00:00Z',
        '  --repair mends it: The counters are set to the sum.',
        '',
        'Two guests.',
        '  promise 1, room.counters-differ',
        '  To do: Look at them.',
        '',
        '',
      ].join('\n'),
    )
    const json = await nubo('doctor --json')
    expect(json.code).toBe(7)
    expect(json.json()).toEqual(doctor)
  })

  it('mends when it is told to, and says what came of it', async () => {
    const { cloud, nubo } = await aCloud()
    const outcome = { mended: true, message: 'The counters are the sum again.' }
    const mended = { ...well, findings: [{ ...finding, outcome }] }
    cloud.on('POST', /nubo\/v1\/doctor\/repair$/, () => ({ body: { doctor: mended } }))
    const told = await nubo('doctor --repair')
    expect(told).toMatchObject({ code: 0 })
    expect(told.stdout).toContain('  Mended: The counters are the sum again.')
    const open = { ...finding, outcome: { mended: false, message: 'It has changed.' } }
    cloud.on('POST', /nubo\/v1\/doctor\/repair$/, () => ({
      body: { doctor: { ...mended, healthy: false, findings: [...mended.findings, open] } },
    }))
    expect(await nubo('doctor --repair')).toMatchObject({ code: 7, stderr: 'nubo: 1 thing is not as promised; 1 mended\n' })
  })

  it('says that a cloud which is no Nubo has none', async () => {
    const { nubo } = await aCloud()
    expect(await nubo('doctor')).toMatchObject({ code: 3, stderr: expect.stringContaining('This cloud has no doctor') })
  })
})

describe('operations', () => {
  const operation = {
    ...{ id: 'o1', kind: 'server.create', state: 'running', server_id: 's1', project_id: 'p', user_id: 'u', request_id: 'req-1' },
    ...{ message: null, started_at: '2026-11-26T03:00:00Z', finished_at: null, age_seconds: 83, seconds_left: 817 },
    ...{ attempt: 2, last_failure: 'its disk is full' },
    progress: { step: 'build', undoing: false, steps_done: 1, steps_total: 2 },
  }

  it('are listed by what is asked for, page by page', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    cloud.on('GET', /nubo\/v1\/operations\?/, ({ path }) =>
      path.includes('marker=o1')
        ? { body: { operations: [{ ...operation, id: 'o2' }] } }
        : {
            body: {
              operations: [operation],
              operations_links: [{ rel: 'next', href: 'http://elsewhere/?state=live&marker=o1' }],
            },
          },
    )
    const { stdout, code } = await nubo('operation list --state live --older-than 60 --kind server.create')
    expect(code).toBe(0)
    expect(stdout.split('\n')[1]).toMatch(/^o1 +server\.create +running +1 of 2, build +s1 +1 min 23 s +its disk is full$/)
    expect(stdout.split('\n')[2]).toMatch(/^o2 /)
    expect(cloud.sent('GET', /operations/)[0]!.path).toMatch(/\?state=live&kind=server\.create&older_than=60$/)
  })

  it('are shown with their steps', async () => {
    const { cloud, nubo } = await aCloud()
    const step = {
      ...{ name: 'build', direction: 'do', state: 'failed', attempt: 1, hints: 2, opened_at: 't', finished_at: 't' },
      ...{ next_hint_in_seconds: null, message: 'its disk is full', host: 'one' },
    }
    const undo = { ...step, direction: 'undo', state: 'open', hints: 0, message: null }
    cloud.on('GET', /nubo\/v1\/operations\/o1$/, () => ({ body: { operation: { ...operation, steps: [step, undo] } } }))
    const { stdout } = await nubo('operation show o1')
    expect(stdout).toMatch(/Steps +build: failed, 2 hints, on one, its disk is full; undo build: open, on one/)
    expect((await nubo('operation show o1 --json')).json()).toMatchObject({ id: 'o1', seconds_left: 817, steps: [step, undo] })
  })
})
