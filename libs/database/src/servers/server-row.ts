import type { PowerState, TaskState, VmState, WantedState } from '@nubo/domain'
import type { FlavorId, HostId, ImageId, ProjectId, ServerId, UserId } from '@nubo/kernel'

export interface ServerFault {
  code: number
  message: string
  details?: string
  created: string
}

/** A server with all that the API shows of it. */
export interface ServerRow {
  id: ServerId
  projectId: ProjectId
  userId: UserId
  name: string
  hostname: string
  description: string | null
  imageId: ImageId | null
  flavorId: FlavorId
  flavorName: string
  vcpus: number
  memoryMiB: number
  diskGiB: number
  ephemeralGiB: number
  swapMiB: number
  extraSpecs: Record<string, string>
  keyName: string | null
  metadata: Record<string, string>
  tags: string[]
  configDrive: boolean
  requestedZone: string | null
  reservationId: string
  launchIndex: number
  locked: boolean
  lockedReason: string | null
  accessIpv4: string
  accessIpv6: string
  diskConfig: 'AUTO' | 'MANUAL'
  wanted: WantedState
  vmState: VmState
  taskState: TaskState | null
  powerState: PowerState
  hostId: HostId | null
  hostName: string | null
  /** 'up' or 'down', by what was heard of it lately; null without a host. */
  hostAlive: boolean | null
  hostEnabled: boolean | null
  fault: ServerFault | null
  createdAt: Date
  updatedAt: Date
  launchedAt: Date | null
  terminatedAt: Date | null
  deletedAt: Date | null
}

/** The columns of ServerRow, of `servers v LEFT JOIN hosts h`. User data is not among them: it may be large, and few ask for it. */
export const serverRowColumns = `v.id, v.project_id AS "projectId", v.user_id AS "userId", v.name, v.hostname, v.description, v.image_id AS "imageId",
  v.flavor_id AS "flavorId", v.flavor_name AS "flavorName", v.vcpus, v.memory_mib AS "memoryMiB", v.disk_gib AS "diskGiB",
  v.ephemeral_gib AS "ephemeralGiB", v.swap_mib AS "swapMiB", v.extra_specs AS "extraSpecs", v.key_name AS "keyName", v.metadata, v.tags,
  v.config_drive AS "configDrive", v.requested_zone AS "requestedZone", v.reservation_id AS "reservationId",
  v.launch_index AS "launchIndex", v.locked, v.locked_reason AS "lockedReason", v.access_ipv4 AS "accessIpv4", v.access_ipv6 AS "accessIpv6",
  v.disk_config AS "diskConfig", v.wanted, v.vm_state AS "vmState", v.task_state AS "taskState", v.power_state AS "powerState",
  v.host_id AS "hostId", h.name AS "hostName", h.enabled AS "hostEnabled",
  h.last_heard_at > (SELECT max(last_heard_at) FROM hosts) - interval '30 seconds' AND NOT h.forced_down AS "hostAlive",
  v.fault, v.created_at AS "createdAt", v.updated_at AS "updatedAt", v.launched_at AS "launchedAt", v.terminated_at AS "terminatedAt",
  v.deleted_at AS "deletedAt"`
