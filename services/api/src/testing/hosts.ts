import { claim, type Database } from '@nubo/database'
import { addHost as registerHost, insertServer } from '@nubo/database/testing'
import { newId, systemRandom, type HostId, type OperationId, type ServerId } from '@nubo/kernel'

export interface TestHost {
  name: string
  virtType?: 'kvm' | 'qemu'
  virtTypeReason?: string
}

/** 4 processors given away four times each, 8 GiB of memory less 512 MiB, 100 GiB of disk less 10. */
export async function addHost(database: Database, { name, virtType = 'qemu', virtTypeReason = '' }: TestHost): Promise<HostId> {
  const cpuInfo = { arch: 'x86_64' }
  const kept = { reservedMemoryMiB: 512, reservedDiskGiB: 10 }
  return await registerHost(database, name, { virtType, virtTypeReason, cpuInfo, ...kept, vcpuRatio: 4, uptimeSeconds: 90_060 })
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
  const id = await insertServer(database, 'p', { memoryMiB, diskGiB: 1, taskState: taskState ?? null })
  const operationId = newId<OperationId>(systemRandom)
  await database.transaction((tx) =>
    claim(tx, { serverId: id, operationId, hostId: hostId as HostId, fencingEpoch: 1, decision: {} }),
  )
  return id
}
