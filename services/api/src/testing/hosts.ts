import type { Register } from '@nubo/contract'
import { claim, registerHost, type Database } from '@nubo/database'
import { newId, systemRandom, type HostId, type OperationId, type ServerId, type SessionId } from '@nubo/kernel'

export interface TestHost {
  name: string
  virtType?: 'kvm' | 'qemu'
  virtTypeReason?: string
}

/** Registers a host as its agent would: 4 processors, 8 GiB of memory less 512 MiB, 100 GiB of disk less 10. */
export async function addHost(database: Database, { name, virtType = 'qemu', virtTypeReason = '' }: TestHost): Promise<HostId> {
  const hostId = newId<HostId>(systemRandom)
  const report: Register = {
    kind: 'register',
    registrationId: newId(systemRandom),
    hostId,
    hostName: name,
    address: '192.0.2.1',
    bootId: 'boot-1',
    fencingEpoch: 0,
    agentId: newId(systemRandom),
    quarantine: null,
    guests: [],
    inventory: {
      architecture: 'x86_64',
      hypervisorType: 'QEMU',
      hypervisorVersion: 9_000_000,
      virtType,
      virtTypeReason,
      cpuInfo: { arch: 'x86_64' },
      totalVcpus: 4,
      totalMemoryMiB: 8192,
      totalDiskGiB: 100,
      reservedMemoryMiB: 512,
      reservedDiskGiB: 10,
      overheadMiB: 0,
      vcpuRatio: 4,
      uptimeSeconds: 90_060,
    },
  }
  await database.transaction((tx) => registerHost(tx, report, newId<SessionId>(systemRandom)))
  return hostId
}

/** Makes as if a host had been silent for so long in which it could have been heard. */
export async function silence(database: Database, hostId: string, seconds: number): Promise<void> {
  await database.execute(
    `UPDATE hosts SET last_heard_at = last_heard_at - $2 * interval '1 second', heard_ms = heard_ms - $2 * 1000 WHERE id = $1`,
    [hostId, seconds],
  )
}

export interface TestServer {
  memoryMiB: number
  taskState?: string
}

/** A server with room on a host. */
export async function addServer(database: Database, hostId: string, { memoryMiB, taskState }: TestServer): Promise<ServerId> {
  const id = newId<ServerId>(systemRandom)
  await database.execute(
    `INSERT INTO servers (id, project_id, user_id, name, hostname, flavor_id, flavor_name, vcpus, memory_mib, disk_gib,
       reservation_id, wanted, vm_state, task_state) VALUES ($1, 'p', 'u', 'guest', 'guest', '1', 'f', 1, $2, 1, 'r-1', 'running', 'active', $3)`,
    [id, memoryMiB, taskState ?? null],
  )
  const operationId = newId<OperationId>(systemRandom)
  await database.transaction((tx) =>
    claim(tx, { serverId: id, operationId, hostId: hostId as HostId, fencingEpoch: 1, decision: {} }),
  )
  return id
}
