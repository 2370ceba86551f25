/** What a server is, apart from what is being done to it: Nova's vm_state (nova/objects/fields.py, InstanceState). */
export type VmState =
  | 'active'
  | 'building'
  | 'paused'
  | 'suspended'
  | 'stopped'
  | 'rescued'
  | 'resized'
  | 'soft-delete'
  | 'deleted'
  | 'error'
  | 'shelved'
  | 'shelved_offloaded'

/** What is being done to a server: Nova's task_state (nova/objects/fields.py, InstanceTaskState). Hyphens are Nova's. */
export type TaskState =
  | 'scheduling'
  | 'block_device_mapping'
  | 'networking'
  | 'spawning'
  | 'image_snapshot'
  | 'image_snapshot_pending'
  | 'image_pending_upload'
  | 'image_uploading'
  | 'image_backup'
  | 'updating_password'
  | 'resize_prep'
  | 'resize_migrating'
  | 'resize_migrated'
  | 'resize_finish'
  | 'resize_reverting'
  | 'resize_confirming'
  | 'rebooting'
  | 'reboot_pending'
  | 'reboot_started'
  | 'rebooting_hard'
  | 'reboot_pending_hard'
  | 'reboot_started_hard'
  | 'pausing'
  | 'unpausing'
  | 'suspending'
  | 'resuming'
  | 'powering-off'
  | 'powering-on'
  | 'rescuing'
  | 'unrescuing'
  | 'rebuilding'
  | 'rebuild_block_device_mapping'
  | 'rebuild_spawning'
  | 'migrating'
  | 'deleting'
  | 'soft-deleting'
  | 'restoring'
  | 'shelving'
  | 'shelving_image_pending_upload'
  | 'shelving_image_uploading'
  | 'shelving_offloading'
  | 'unshelving'

/** What a client reads as `status`. */
export type ServerStatus =
  | 'ACTIVE'
  | 'BUILD'
  | 'DELETED'
  | 'ERROR'
  | 'HARD_REBOOT'
  | 'MIGRATING'
  | 'PASSWORD'
  | 'PAUSED'
  | 'REBOOT'
  | 'REBUILD'
  | 'RESCUE'
  | 'RESIZE'
  | 'REVERT_RESIZE'
  | 'SHELVED'
  | 'SHELVED_OFFLOADED'
  | 'SHUTOFF'
  | 'SOFT_DELETED'
  | 'SUSPENDED'
  | 'VERIFY_RESIZE'

/** What the tenant asked for. Never written by what a host reports. */
export type WantedState = 'running' | 'stopped' | 'deleted'

/** What a host saw of a guest: Nova's power_state codes (nova/compute/power_state.py). 2 and 5 are not used. */
export const powerStates = { noState: 0, running: 1, paused: 3, shutdown: 4, crashed: 6, suspended: 7 } as const
export type PowerState = (typeof powerStates)[keyof typeof powerStates]

type StatusRow = { otherwise: ServerStatus } & Partial<Record<TaskState, ServerStatus>>

const whileRebuilt = {
  rebuilding: 'REBUILD',
  rebuild_block_device_mapping: 'REBUILD',
  rebuild_spawning: 'REBUILD',
} as const

const whileResized = {
  resize_prep: 'RESIZE',
  resize_migrating: 'RESIZE',
  resize_migrated: 'RESIZE',
  resize_finish: 'RESIZE',
} as const

/** The status for each vm_state, and for those task_states that show through it (nova/api/openstack/common.py, _STATE_MAP). */
const statuses: Record<VmState, StatusRow> = {
  active: {
    otherwise: 'ACTIVE',
    rebooting: 'REBOOT',
    reboot_pending: 'REBOOT',
    reboot_started: 'REBOOT',
    rebooting_hard: 'HARD_REBOOT',
    reboot_pending_hard: 'HARD_REBOOT',
    reboot_started_hard: 'HARD_REBOOT',
    updating_password: 'PASSWORD',
    migrating: 'MIGRATING',
    ...whileRebuilt,
    ...whileResized,
  },
  building: { otherwise: 'BUILD' },
  stopped: { otherwise: 'SHUTOFF', ...whileRebuilt, ...whileResized },
  resized: { otherwise: 'VERIFY_RESIZE', resize_reverting: 'REVERT_RESIZE' },
  paused: { otherwise: 'PAUSED', migrating: 'MIGRATING' },
  suspended: { otherwise: 'SUSPENDED' },
  rescued: { otherwise: 'RESCUE' },
  error: { otherwise: 'ERROR', ...whileRebuilt },
  deleted: { otherwise: 'DELETED' },
  'soft-delete': { otherwise: 'SOFT_DELETED' },
  shelved: { otherwise: 'SHELVED' },
  shelved_offloaded: { otherwise: 'SHELVED_OFFLOADED' },
}

/** The status that a client reads (nova/api/openstack/common.py, status_from_state). */
export function statusOf(vmState: VmState, taskState: TaskState | null): ServerStatus {
  const row = statuses[vmState]
  return (taskState !== null && row[taskState]) || row.otherwise
}

export interface StatusFilter {
  vmStates: VmState[]
  /** Any, if absent. */
  taskStates?: TaskState[]
}

/**
 * The servers that a list filtered by `?status=` holds, in any letter case; undefined if nothing has such a status
 * (then Nova answers 400 'Invalid status value' from 2.38 on and an empty list before).
 *
 * As in Nova, a status that is a vm_state's own takes in whatever is being done to the server: `status=ACTIVE` also
 * lists servers that are shown as REBOOT (nova/api/openstack/compute/servers.py, _get_servers).
 */
export function statusFilter(wanted: readonly string[]): StatusFilter | undefined {
  const names = new Set(wanted.map((status) => status.toUpperCase()))
  const vmStates = new Set<VmState>()
  const taskStates = new Set<TaskState>()
  let anyTaskState = false
  for (const [vmState, { otherwise, ...row }] of Object.entries(statuses) as [VmState, StatusRow][]) {
    if (names.has(otherwise)) {
      vmStates.add(vmState)
      anyTaskState = true
    }
    for (const [taskState, status] of Object.entries(row) as [TaskState, ServerStatus][]) {
      if (!names.has(status)) continue
      vmStates.add(vmState)
      taskStates.add(taskState)
    }
  }
  if (vmStates.size === 0) return undefined
  return anyTaskState ? { vmStates: [...vmStates] } : { vmStates: [...vmStates], taskStates: [...taskStates] }
}

/**
 * What to do about a guest that is not as its record says:
 * - `settle`: the guest ended on its own; the record becomes stopped, and stays so
 * - `start`: the host was started again under a guest that is to run
 * - `stop`: a guest runs whose record is stopped; somebody started it behind our back
 */
export type DriftReaction = 'none' | 'settle' | 'start' | 'stop'

const ended: ReadonlySet<PowerState> = new Set([powerStates.shutdown, powerStates.crashed])
const notRunning: ReadonlySet<PowerState> = new Set([powerStates.noState, powerStates.shutdown, powerStates.crashed])

/**
 * Compares what is recorded with what was seen. While something is being done to a server, what is seen is on its way and
 * means nothing. A pause is left alone: migrations and backups pause guests for moments. A guest that a host does not
 * know is not taken for stopped, unless the host itself was started again since the guest ran.
 * Source: nova/compute/manager.py, _sync_instance_power_state; starting again is Nova's resume_guests_state_on_host_boot.
 */
export function reactionToDrift(
  recorded: { vmState: VmState; taskState: TaskState | null },
  seen: PowerState,
  hostRestarted: boolean,
): DriftReaction {
  const { vmState, taskState } = recorded
  if (taskState !== null) return 'none'
  if (vmState === 'active' && hostRestarted && notRunning.has(seen)) return 'start'
  if (vmState === 'active' && (ended.has(seen) || seen === powerStates.suspended)) return 'settle'
  if (vmState === 'paused' && ended.has(seen)) return 'settle'
  if (vmState === 'stopped' && !notRunning.has(seen)) return 'stop'
  return 'none'
}
