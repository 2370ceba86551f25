import { createHash } from 'node:crypto'
import type { ServerBrief, ServerNetworking, ServerRow } from '@nubo/database'
import { statusOf } from '@nubo/domain'
import { addressesView } from './interfaces/interfaces.views.js'
import { secondsTimestamp, withSource, zonelessTimestamp } from '@nubo/wire'

/** The newest version's shapes of servers (2.96). What only an administrator sees is added by `extended`. */
export interface ServerViewOptions {
  baseUrl: string
  extended: boolean
  networking: ServerNetworking
  userData?: string | undefined
}

const zone = 'nova'

function links(baseUrl: string, resource: string, id: string) {
  return [
    { rel: 'self', href: `${baseUrl}/v2.1/${resource}/${id}` },
    { rel: 'bookmark', href: `${baseUrl}/${resource}/${id}` },
  ]
}

export function serverBriefView(server: ServerBrief, baseUrl: string) {
  return { id: server.id, name: server.name, links: links(baseUrl, 'servers', server.id) }
}

export function createdServerView(
  server: { id: string },
  { adminPassword, diskConfig, groups }: { adminPassword: string; diskConfig: string; groups: readonly string[] },
  baseUrl: string,
) {
  return {
    id: server.id,
    links: links(baseUrl, 'servers', server.id),
    'OS-DCF:diskConfig': diskConfig,
    security_groups: groups.map((name) => ({ name })),
    adminPass: adminPassword,
  }
}

export function serverView(server: ServerRow, options: ServerViewOptions) {
  const { baseUrl } = options
  const status = statusOf(server.vmState, server.taskState)
  const view = {
    id: server.id,
    name: server.name,
    status,
    tenant_id: server.projectId,
    user_id: server.userId,
    metadata: server.metadata,
    hostId: hostIdOf(server.projectId, server.hostName),
    image: server.imageId
      ? { id: server.imageId, links: [{ rel: 'bookmark', href: `${baseUrl}/images/${server.imageId}` }] }
      : '',
    flavor: embeddedFlavor(server),
    created: secondsTimestamp(server.createdAt),
    updated: secondsTimestamp(server.updatedAt),
    addresses: addressesView(options.networking.addresses),
    accessIPv4: server.accessIpv4,
    accessIPv6: server.accessIpv6,
    links: links(baseUrl, 'servers', server.id),
    'OS-DCF:diskConfig': server.diskConfig,
    ...(hasProgress(status) ? { progress: 0 } : {}),
    'OS-EXT-AZ:availability_zone': server.hostId ? zone : '',
    pinned_availability_zone: server.requestedZone,
    config_drive: server.configDrive ? 'True' : '',
    key_name: server.keyName,
    'OS-SRV-USG:launched_at': server.launchedAt && zonelessTimestamp(server.launchedAt),
    'OS-SRV-USG:terminated_at': server.terminatedAt && zonelessTimestamp(server.terminatedAt),
    'OS-EXT-STS:task_state': server.taskState,
    'OS-EXT-STS:vm_state': server.vmState,
    'OS-EXT-STS:power_state': server.powerState,
    'os-extended-volumes:volumes_attached': [],
    locked: server.locked,
    locked_reason: server.lockedReason,
    description: server.description,
    tags: server.tags,
    trusted_image_certificates: null,
    server_groups: [],
    'OS-EXT-SRV-ATTR:hostname': server.hostname,
    ...securityGroupsOf(options.networking),
    ...(server.fault && showsFault(status) ? { fault: faultView(server, options.extended) } : {}),
    ...(options.extended ? extendedAttributes(server, options.userData) : {}),
  }
  return withSource(view, server)
}

/** Nova says nothing of groups where a server has none. */
function securityGroupsOf({ securityGroups }: ServerNetworking) {
  return securityGroups.length === 0 ? {} : { security_groups: securityGroups.map((name) => ({ name })) }
}

function embeddedFlavor(server: ServerRow) {
  return {
    vcpus: server.vcpus,
    ram: server.memoryMiB,
    disk: server.diskGiB,
    ephemeral: server.ephemeralGiB,
    swap: server.swapMiB,
    original_name: server.flavorName,
    extra_specs: server.extraSpecs,
  }
}

function extendedAttributes(server: ServerRow, userData: string | undefined) {
  return {
    'OS-EXT-SRV-ATTR:host': server.hostName,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': server.hostName,
    'OS-EXT-SRV-ATTR:instance_name': `nubo-${server.id}`,
    'OS-EXT-SRV-ATTR:reservation_id': server.reservationId,
    'OS-EXT-SRV-ATTR:launch_index': server.launchIndex,
    'OS-EXT-SRV-ATTR:kernel_id': '',
    'OS-EXT-SRV-ATTR:ramdisk_id': '',
    'OS-EXT-SRV-ATTR:root_device_name': '/dev/vda',
    'OS-EXT-SRV-ATTR:user_data': userData ?? null,
    host_status: hostStatus(server),
  }
}

/** Nova's host_status: what is known of the server's host, and nothing where it has none. */
function hostStatus(server: ServerRow): string {
  if (!server.hostId) return ''
  if (!server.hostAlive) return 'DOWN'
  return server.hostEnabled ? 'UP' : 'MAINTENANCE'
}

const hostIds = new Map<string, string>()
const mostHostIds = 10_000

/** The same for two servers of one project on one host, and for nobody else: tells tenants what they may know of placement. */
export function hostIdOf(projectId: string, hostName: string | null): string {
  if (!hostName) return ''
  const key = projectId + hostName
  let id = hostIds.get(key)
  if (id === undefined) {
    if (hostIds.size >= mostHostIds) hostIds.clear()
    id = createHash('sha224').update(key).digest('hex')
    hostIds.set(key, id)
  }
  return id
}

function hasProgress(status: string): boolean {
  return ['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING'].includes(status)
}

function showsFault(status: string): boolean {
  return status === 'ERROR' || status === 'DELETED'
}

function faultView(server: ServerRow, extended: boolean) {
  const { details, ...fault } = server.fault!
  return extended && details !== undefined ? { ...fault, details } : fault
}
