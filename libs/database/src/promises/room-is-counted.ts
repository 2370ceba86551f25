import type { HostId, ServerId } from '@nubo/kernel'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

/** Memory in MiB, disk in GiB. */
export interface RoomFigures {
  vcpus: number
  memoryMiB: number
  diskGiB: number
  servers: number
}

interface HostRow {
  id: HostId
  name: string
  used: RoomFigures
  held: RoomFigures
  capacity: Omit<RoomFigures, 'servers'>
}

const figures = (vcpus: string, memory: string, disk: string, servers?: string) =>
  `jsonb_build_object('vcpus', ${vcpus}, 'memoryMiB', ${memory}, 'diskGiB', ${disk}${servers ? `, 'servers', ${servers}` : ''})`

const readHosts = `
  WITH held AS (
    SELECT host_id, sum(vcpus) AS vcpus, sum(memory_mib) AS memory_mib, sum(disk_gib) AS disk_gib, count(*) AS servers
    FROM allocations GROUP BY host_id)
  SELECT h.id, h.name, ${figures('h.used_vcpus', 'h.used_memory_mib', 'h.used_disk_gib', 'h.server_count')} AS used,
    ${figures('h.capacity_vcpus', 'h.capacity_memory_mib', 'h.capacity_disk_gib')} AS capacity,
    ${figures('COALESCE(a.vcpus, 0)', 'COALESCE(a.memory_mib, 0)', 'COALESCE(a.disk_gib, 0)', 'COALESCE(a.servers, 0)')} AS held
  FROM hosts h LEFT JOIN held a ON a.host_id = h.id
  WHERE (h.used_vcpus, h.used_memory_mib, h.used_disk_gib, h.server_count)
      IS DISTINCT FROM (COALESCE(a.vcpus, 0), COALESCE(a.memory_mib, 0), COALESCE(a.disk_gib, 0), COALESCE(a.servers, 0))
    OR h.used_vcpus > h.capacity_vcpus OR h.used_memory_mib > h.capacity_memory_mib OR h.used_disk_gib > h.capacity_disk_gib
  ORDER BY h.number LIMIT $1`

/** Promise 1: a host's counters are the sum of its allocations, and never above what it has to give. */
export const roomIsCounted: RecordCheck = async (db, { limit }) => {
  const hosts = await db.query<HostRow>(readHosts, [limit])
  return hosts.flatMap(({ id, name, used, held, capacity }) => {
    const about = { hostId: id, hostName: name }
    const counts = finding('room.counters-differ', {
      about,
      message: `Host ${name} counts ${words(used)} as used; its allocations are ${words(held)}.`,
      found: { used, held },
    })
    const above = finding('room.above-capacity', {
      about,
      message: `Host ${name} has given ${words(held)} and has ${words(capacity)} to give.`,
      found: { held, capacity },
    })
    return [...(sameRoom(used, held) ? [] : [counts]), ...(isAbove(used, capacity) ? [above] : [])]
  })
}

function sameRoom(one: RoomFigures, other: RoomFigures): boolean {
  return words(one) === words(other)
}

function isAbove(used: RoomFigures, capacity: HostRow['capacity']): boolean {
  return used.vcpus > capacity.vcpus || used.memoryMiB > capacity.memoryMiB || used.diskGiB > capacity.diskGiB
}

function words({ vcpus, memoryMiB, diskGiB, servers }: Partial<RoomFigures>): string {
  const all = `${vcpus} vCPU, ${memoryMiB} MiB of memory, ${diskGiB} GiB of disk`
  return servers === undefined ? all : `${all} for ${servers} ${servers === 1 ? 'server' : 'servers'}`
}

interface AllocationRow {
  serverId: ServerId
  incarnation: number
  hostId: HostId
  hostName: string
  createdAt: Date
  held: Omit<RoomFigures, 'servers'>
  has: Omit<RoomFigures, 'servers'>
}

/** A guest's memory is held with what the hypervisor needs for it, so it may be more. */
const readTooSmall = `
  SELECT a.server_id AS "serverId", a.incarnation, a.host_id AS "hostId", h.name AS "hostName", a.created_at AS "createdAt",
    ${figures('a.vcpus', 'a.memory_mib', 'a.disk_gib')} AS held, ${figures('v.vcpus', 'v.memory_mib', 'v.disk_gib')} AS has
  FROM allocations a JOIN servers v ON v.id = a.server_id JOIN hosts h ON h.id = a.host_id
  WHERE a.vcpus <> v.vcpus OR a.memory_mib < v.memory_mib OR a.disk_gib <> v.disk_gib
  ORDER BY a.created_at LIMIT $1`

/** Promise 1: what is held for a server is what it has. */
export const roomIsWholeForEach: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<AllocationRow>(readTooSmall, [limit])
  return rows.map(({ serverId, incarnation, hostId, hostName, createdAt, held, has }) =>
    finding('room.allocation-differs', {
      about: { serverId, incarnation, hostId, hostName },
      message: `Server ${serverId} has ${words(has)}, and host ${hostName} holds ${words(held)} for it.`,
      since: createdAt,
      found: { held, has },
    }),
  )
}
