import type { Inventory, Register } from '@nubo/contract'
import { newId, systemRandom, type HostId, type ServerId, type SessionId } from '@nubo/kernel'
import type { Database, Queryable } from '../connection.js'
import { registerHost } from '../hosts/registry.js'

/** 4 processors, each given once, 8 GiB of memory and 100 GiB of disk, all of it for guests. */
export const sampleInventory: Inventory = {
  architecture: 'x86_64',
  hypervisorType: 'QEMU',
  hypervisorVersion: 9_000_000,
  virtType: 'qemu',
  virtTypeReason: '',
  cpuInfo: {},
  totalVcpus: 4,
  totalMemoryMiB: 8192,
  totalDiskGiB: 100,
  reservedMemoryMiB: 0,
  reservedDiskGiB: 0,
  overheadMiB: 0,
  vcpuRatio: 1,
  uptimeSeconds: 1,
}

/** What the agent of a new host says when it registers, with the sample's inventory where nothing else is said. */
export function registrationOf(hostName: string, inventory: Partial<Inventory> = {}): Register {
  return {
    kind: 'register',
    registrationId: newId(systemRandom),
    hostId: newId<HostId>(systemRandom),
    hostName,
    address: '192.0.2.1',
    bootId: 'boot-1',
    agentId: newId(systemRandom),
    quarantine: null,
    fencingEpoch: 0,
    inventory: { ...sampleInventory, ...inventory },
    guests: [],
  }
}

/** Registers a new host, as a conductor does. */
export async function addHost(database: Database, hostName: string, inventory: Partial<Inventory> = {}): Promise<HostId> {
  const report = registrationOf(hostName, inventory)
  await database.transaction((tx) => registerHost(tx, report, newId<SessionId>(systemRandom)))
  return report.hostId
}

interface ServerRowOptions {
  userId?: string
  name?: string
  vcpus?: number
  memoryMiB?: number
  diskGiB?: number
  taskState?: string | null
  metadata?: Record<string, string>
}

/** The row of an ACTIVE server that is on no host and counted by no quota: 1 processor, 64 MiB, no disk. */
export async function insertServer(db: Queryable, projectId: string, options: ServerRowOptions = {}): Promise<ServerId> {
  const serverId = newId<ServerId>(systemRandom)
  const { userId = 'u', name = 'guest', vcpus = 1, memoryMiB = 64, diskGiB = 0, taskState = null, metadata = {} } = options
  await db.execute(
    `INSERT INTO servers (id, project_id, user_id, name, hostname, flavor_id, flavor_name, vcpus, memory_mib, disk_gib, reservation_id,
       wanted, vm_state, power_state, task_state, metadata, launched_at)
     VALUES ($1, $2, $3, $4, $4, '1', 'f', $5, $6, $7, 'r-1', 'running', 'active', 1, $8, $9, now())`,
    [serverId, projectId, userId, name, vcpus, memoryMiB, diskGiB, taskState, metadata],
  )
  return serverId
}
