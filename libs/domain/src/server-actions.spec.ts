import { describe, expect, it } from '@jest/globals'
import { CloudError, type HostId, type ServerId } from '@nubo/kernel'
import { refusalOf, requireAllowed, serverActions, type ActedOn, type ServerAction } from './server-actions.js'
import { statusOf, type TaskState, type VmState } from './server-states.js'

const id = '6b29fc40-ca47-4067-b31d-00dd010662da' as ServerId

function server(differences: Partial<ActedOn> = {}): ActedOn {
  const hostId = '00000000-0000-4000-8000-000000000001' as HostId
  return { id, vmState: 'active', taskState: null, hostId, launchedAt: new Date(0), locked: false, ...differences }
}

/** x where the action of the column is allowed to an idle server in the state of the row. */
const table = `
                    start stop rebootSoft rebootHard delete consoleOutput attachInterface detachInterface updateMetadata deleteMetadata
  active            -     x    x          x          x      x             x               x               x              x
  building          -     -    -          -          x      x             -               -               -              -
  paused            -     -    -          x          x      x             x               x               x              x
  suspended         -     -    -          x          x      x             -               -               x              x
  stopped           x     -    -          x          x      x             x               x               x              x
  rescued           -     -    -          -          x      x             -               -               -              -
  resized           -     -    -          -          x      x             -               -               -              -
  soft-delete       -     -    -          -          x      x             -               -               -              -
  deleted           -     -    -          -          x      x             -               -               -              -
  error             -     x    -          x          x      x             -               -               -              -
  shelved           -     -    -          -          x      x             -               -               -              -
  shelved_offloaded -     -    -          -          x      x             -               -               -              -
`

const [columns, ...rows] = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/ +/)) as [ServerAction[], ...[VmState, ...string[]][]]

describe('refusalOf', () => {
  it('knows every action in the table', () => {
    expect(columns).toEqual(Object.keys(serverActions))
  })

  it.each(rows)('allows what Nova allows in %s', (vmState, ...marks) => {
    const allowed = columns.filter((action) => refusalOf(action, server({ vmState })) === undefined)
    expect(allowed).toEqual(columns.filter((_, index) => marks[index] === 'x'))
  })

  it('speaks as Nova does', () => {
    expect(refusalOf('start', server())).toBe(`Cannot 'start' instance ${id} while it is in vm_state active`)
    expect(refusalOf('rebootSoft', server({ vmState: 'stopped' }))).toBe(
      `Cannot 'reboot' instance ${id} while it is in vm_state stopped`,
    )
    expect(refusalOf('stop', server({ taskState: 'powering-off' }))).toBe(
      `Cannot 'stop' instance ${id} while it is in task_state powering-off`,
    )
    expect(refusalOf('updateMetadata', server({ vmState: 'error' }))).toBe(
      `Cannot 'update metadata' instance ${id} while it is in vm_state error`,
    )
    expect(refusalOf('stop', server({ vmState: 'error', launchedAt: null }))).toBe(
      `Instance ${id} is in an invalid state for 'stop'`,
    )
    expect(refusalOf('consoleOutput', server({ hostId: null }))).toBe(`Instance ${id} is not ready`)
    expect(refusalOf('delete', server({ locked: true }))).toBe(`Instance ${id} is locked`)
  })

  it('names the first hindrance: lock, host, vm_state, task_state, launch', () => {
    const hindered = server({ locked: true, hostId: null, taskState: 'deleting', launchedAt: null })
    expect(refusalOf('start', hindered)).toMatch(/is locked$/)
    expect(refusalOf('start', hindered, true)).toMatch(/is not ready$/)
    expect(refusalOf('start', { ...hindered, hostId: server().hostId }, true)).toMatch(/vm_state active$/)
    const stopped = { ...hindered, hostId: server().hostId, vmState: 'stopped' as VmState }
    expect(refusalOf('start', stopped, true)).toMatch(/task_state deleting$/)
    expect(refusalOf('start', { ...stopped, taskState: null }, true)).toMatch(/invalid state for 'start'$/)
  })

  it.each<[ServerAction, TaskState[]]>([
    ['rebootHard', ['rebooting', 'reboot_started', 'rebooting_hard', 'pausing']],
    ['delete', ['deleting', 'spawning', 'rebooting']],
    ['updateMetadata', ['rebooting', 'powering-off']],
    ['consoleOutput', ['rebooting', 'deleting']],
  ])('allows %s while %j', (action, taskStates) => {
    for (const taskState of taskStates) expect(refusalOf(action, server({ taskState }))).toBeUndefined()
  })

  it('refuses a hard reboot of a server that is powered off or deleted', () => {
    for (const taskState of ['powering-off', 'deleting', 'reboot_pending_hard'] as const) {
      expect(refusalOf('rebootHard', server({ taskState }))).toMatch(new RegExp(`task_state ${taskState}$`))
    }
  })

  it('lets anybody read the console of a locked server, and administrators do all', () => {
    const locked = server({ locked: true })
    expect(refusalOf('consoleOutput', locked)).toBeUndefined()
    expect(refusalOf('stop', locked, true)).toBeUndefined()
    expect(refusalOf('updateMetadata', locked)).toMatch(/is locked$/)
  })

  it('deletes a server that never had a host', () => {
    expect(refusalOf('delete', server({ vmState: 'building', hostId: null, launchedAt: null }))).toBeUndefined()
  })
})

describe('requireAllowed', () => {
  it('throws a conflict with the message', () => {
    expect(() => requireAllowed('stop', server())).not.toThrow()
    const act = () => requireAllowed('start', server())
    expect(act).toThrow(new CloudError('Conflict', `Cannot 'start' instance ${id} while it is in vm_state active`))
    expect(act).toThrow(expect.objectContaining({ kind: 'Conflict' }))
  })
})

describe('effects', () => {
  it('show the status that a client waits through', () => {
    const { rebootSoft, rebootHard, stop } = serverActions
    expect(statusOf('active', rebootSoft.effect.taskState)).toBe('REBOOT')
    expect(statusOf('active', rebootHard.effect.taskState)).toBe('HARD_REBOOT')
    expect(statusOf(stop.effect.vmState, null)).toBe('SHUTOFF')
  })
})
