import { CloudError, type HostId, type ServerId } from '@nubo/kernel'
import type { TaskState, VmState, WantedState } from './server-states.js'

/** What of a server decides which actions it allows. */
export interface ActedOn {
  id: ServerId
  vmState: VmState
  taskState: TaskState | null
  hostId: HostId | null
  /** When it first became active; null if it never did. */
  launchedAt: Date | null
  locked: boolean
}

interface ActionRule {
  /** As Nova's messages call it. */
  name: string
  /** A lock keeps everybody but administrators from it. */
  heedsLock: boolean
  needsHost: boolean
  /** The states in which it is allowed; any if absent. */
  vmStates?: readonly VmState[]
  taskStates?: readonly (TaskState | null)[]
  needsLaunch: boolean
  /** What an accepted request writes, if it changes the server: what is wanted, what is being done, and what it then is. */
  effect?: { wanted: WantedState; taskState: TaskState; vmState: VmState }
}

const idle = [null] as const
const metadataVmStates = ['active', 'paused', 'suspended', 'stopped'] as const

/** One row an action: nova/compute/api.py, the decorators of each method; names from nova/api/openstack/compute. */
export const serverActions = {
  start: {
    name: 'start',
    heedsLock: true,
    needsHost: true,
    vmStates: ['stopped'],
    taskStates: idle,
    needsLaunch: true,
    effect: { wanted: 'running', taskState: 'powering-on', vmState: 'active' },
  },
  stop: {
    name: 'stop',
    heedsLock: true,
    needsHost: true,
    vmStates: ['active', 'error'],
    taskStates: idle,
    needsLaunch: true,
    effect: { wanted: 'stopped', taskState: 'powering-off', vmState: 'stopped' },
  },
  rebootSoft: {
    name: 'reboot',
    heedsLock: true,
    needsHost: false,
    vmStates: ['active'],
    taskStates: idle,
    needsLaunch: true,
    effect: { wanted: 'running', taskState: 'rebooting', vmState: 'active' },
  },
  rebootHard: {
    name: 'reboot',
    heedsLock: true,
    needsHost: false,
    vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
    taskStates: [
      null,
      'rebooting',
      'reboot_pending',
      'reboot_started',
      'resuming',
      'rebooting_hard',
      'unpausing',
      'pausing',
      'suspending',
    ],
    needsLaunch: true,
    effect: { wanted: 'running', taskState: 'rebooting_hard', vmState: 'active' },
  },
  // Whatever state a server is in, it can be got rid of, and asking twice is no error.
  delete: {
    name: 'delete',
    heedsLock: true,
    needsHost: false,
    needsLaunch: false,
    effect: { wanted: 'deleted', taskState: 'deleting', vmState: 'deleted' },
  },
  consoleOutput: { name: 'get_console_output', heedsLock: false, needsHost: true, needsLaunch: false },
  attachInterface: {
    name: 'attach_interface',
    heedsLock: true,
    needsHost: true,
    vmStates: ['active', 'paused', 'stopped'],
    taskStates: idle,
    needsLaunch: true,
  },
  detachInterface: {
    name: 'detach_interface',
    heedsLock: true,
    needsHost: true,
    vmStates: ['active', 'paused', 'stopped'],
    taskStates: idle,
    needsLaunch: true,
  },
  updateMetadata: {
    name: 'update metadata',
    heedsLock: true,
    needsHost: false,
    vmStates: metadataVmStates,
    needsLaunch: true,
  },
  deleteMetadata: {
    name: 'delete metadata',
    heedsLock: true,
    needsHost: false,
    vmStates: metadataVmStates,
    needsLaunch: true,
  },
} as const satisfies Record<string, ActionRule>

export type ServerAction = keyof typeof serverActions

/**
 * Why the action is refused, in Nova's words, for a 409; undefined if it is allowed. The order is Nova's: lock, host,
 * vm_state, task_state, launch (nova/compute/api.py, check_instance_*; nova/api/openstack/common.py,
 * raise_http_conflict_for_instance_invalid_state).
 */
export function refusalOf(action: ServerAction, server: ActedOn, asAdministrator = false): string | undefined {
  const rule: ActionRule = serverActions[action]
  const cannot = (attribute: string, state: string | null) =>
    state === null
      ? `Instance ${server.id} is in an invalid state for '${rule.name}'`
      : `Cannot '${rule.name}' instance ${server.id} while it is in ${attribute} ${state}`
  if (rule.heedsLock && server.locked && !asAdministrator) return `Instance ${server.id} is locked`
  if (rule.needsHost && server.hostId === null) return `Instance ${server.id} is not ready`
  if (rule.vmStates && !rule.vmStates.includes(server.vmState)) return cannot('vm_state', server.vmState)
  if (rule.taskStates && !rule.taskStates.includes(server.taskState)) return cannot('task_state', server.taskState)
  if (rule.needsLaunch && server.launchedAt === null) return cannot('launched_at', null)
  return undefined
}

/** Throws CloudError 'Conflict' with Nova's message if the server does not allow the action now. */
export function requireAllowed(action: ServerAction, server: ActedOn, asAdministrator = false): void {
  const refusal = refusalOf(action, server, asAdministrator)
  if (refusal === undefined) return
  const { vmState, taskState } = server
  throw new CloudError('Conflict', refusal, { details: { action, serverId: server.id, vmState, taskState } })
}
