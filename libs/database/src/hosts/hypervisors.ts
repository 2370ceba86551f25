import type { HostId, ServerId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { computeServiceNumber, hostIsAlive } from './services.js'

/** A host as the operator sees it. Memory in MiB, disk in GiB; totals are what the host has, not what may be given away. */
export interface HypervisorRow {
  id: HostId
  number: number
  serviceNumber: number
  name: string
  enabled: boolean
  disabledReason: string | null
  alive: boolean
  address: string
  hypervisorType: string
  hypervisorVersion: number
  virtType: string
  virtTypeReason: string
  cpuInfo: Record<string, unknown>
  totalVcpus: number
  totalMemoryMiB: number
  totalDiskGiB: number
  reservedMemoryMiB: number
  reservedDiskGiB: number
  usedVcpus: number
  usedMemoryMiB: number
  usedDiskGiB: number
  serverCount: number
  /** Servers that something is being done to. */
  busyServerCount: number
  /** Counted on from the last word of the host. */
  uptimeSeconds: number
}

const columns = `
  h.id, h.number, ${computeServiceNumber} AS "serviceNumber", h.name, h.enabled, h.disabled_reason AS "disabledReason",
  ${hostIsAlive} AS alive, h.address, h.hypervisor_type AS "hypervisorType", h.hypervisor_version AS "hypervisorVersion",
  h.virt_type AS "virtType", h.virt_type_reason AS "virtTypeReason", h.cpu_info AS "cpuInfo", h.total_vcpus AS "totalVcpus",
  h.total_memory_mib AS "totalMemoryMiB", h.total_disk_gib AS "totalDiskGiB", h.reserved_memory_mib AS "reservedMemoryMiB",
  h.reserved_disk_gib AS "reservedDiskGiB", h.used_vcpus AS "usedVcpus", h.used_memory_mib AS "usedMemoryMiB",
  h.used_disk_gib AS "usedDiskGiB", h.server_count AS "serverCount",
  (SELECT count(*) FROM servers v WHERE v.host_id = h.id AND v.task_state IS NOT NULL AND v.deleted_at IS NULL) AS "busyServerCount",
  h.uptime_seconds + COALESCE(extract(epoch FROM clock_timestamp() - h.last_heard_at), 0)::int AS "uptimeSeconds"`

/** What names a hypervisor: its id, or its number for clients from before the ids. */
export type HypervisorKey = { id: string } | { number: number }

const keyColumn = (key: HypervisorKey) => ('id' in key ? 'id' : 'number')
const keyValue = (key: HypervisorKey) => ('id' in key ? key.id : key.number)

export async function findHypervisor(db: Queryable, key: HypervisorKey, silenceMs: number): Promise<HypervisorRow | undefined> {
  const [row] = await db.query<HypervisorRow>(`SELECT ${columns} FROM hosts h WHERE h.${keyColumn(key)} = $2`, [
    silenceMs,
    keyValue(key),
  ])
  return row
}

export interface HypervisorPage {
  silenceMs: number
  /** The hypervisor after which the page begins. */
  marker?: HypervisorKey | undefined
  /** All of them where undefined. */
  limit?: number | undefined
}

/** In the order in which the hosts were first seen; undefined where there is no hypervisor `marker`. */
export async function listHypervisors(db: Queryable, page: HypervisorPage): Promise<HypervisorRow[] | undefined> {
  const { marker } = page
  let after = 0
  if (marker) {
    const [found] = await db.query<{ number: number }>(`SELECT number FROM hosts WHERE ${keyColumn(marker)} = $1`, [
      keyValue(marker),
    ])
    if (!found) return undefined
    after = found.number
  }
  return await db.query<HypervisorRow>(`SELECT ${columns} FROM hosts h WHERE h.number > $2 ORDER BY h.number LIMIT $3`, [
    page.silenceMs,
    after,
    page.limit ?? null,
  ])
}

/** Those whose name contains `text`, whatever the case. */
export async function searchHypervisors(db: Queryable, text: string, silenceMs: number): Promise<HypervisorRow[]> {
  return await db.query<HypervisorRow>(
    `SELECT ${columns} FROM hosts h WHERE strpos(lower(h.name), lower($2)) > 0 ORDER BY h.number`,
    [silenceMs, text],
  )
}

export interface HostedServer {
  id: ServerId
  name: string
}

/** The servers of each of these hosts. */
export async function serversOfHosts(db: Queryable, hostIds: readonly HostId[]): Promise<Map<HostId, HostedServer[]>> {
  const rows = await db.query<HostedServer & { hostId: HostId }>(
    `SELECT id, name, host_id AS "hostId" FROM servers WHERE host_id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY created_at, id`,
    [hostIds],
  )
  return Map.groupBy(rows, ({ hostId }) => hostId)
}

export interface HypervisorTotals {
  count: number
  totalVcpus: number
  totalMemoryMiB: number
  totalDiskGiB: number
  usedVcpus: number
  /** What servers have and what the hosts keep for themselves. */
  usedMemoryMiB: number
  usedDiskGiB: number
  serverCount: number
  busyServerCount: number
}

const totals = `
  SELECT count(*), COALESCE(sum(h.total_vcpus), 0) AS "totalVcpus", COALESCE(sum(h.total_memory_mib), 0) AS "totalMemoryMiB",
    COALESCE(sum(h.total_disk_gib), 0) AS "totalDiskGiB", COALESCE(sum(h.used_vcpus), 0) AS "usedVcpus",
    COALESCE(sum(h.used_memory_mib + h.reserved_memory_mib), 0) AS "usedMemoryMiB",
    COALESCE(sum(h.used_disk_gib + h.reserved_disk_gib), 0) AS "usedDiskGiB", COALESCE(sum(h.server_count), 0) AS "serverCount",
    (SELECT count(*) FROM servers v JOIN hosts o ON o.id = v.host_id
     WHERE o.enabled AND v.task_state IS NOT NULL AND v.deleted_at IS NULL) AS "busyServerCount"
  FROM hosts h WHERE h.enabled`

/** All enabled hosts together. */
export async function readHypervisorTotals(db: Queryable): Promise<HypervisorTotals> {
  const [row] = await db.query<HypervisorTotals>(totals)
  return row!
}
