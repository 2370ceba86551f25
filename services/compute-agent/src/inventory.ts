import type { Inventory } from '@nubo/contract'
import type { HypervisorDescription, VirtType } from '@nubo/hypervisor'
import type { AgentConfiguration } from './configuration.js'

/**
 * What QEMU takes for itself beside a guest's memory: 25 to 30 MiB, the cache of translated code (bounded to 32 MiB) where
 * the processor is emulated, and some to spare.
 */
const overheadMiB: Record<VirtType, number> = { kvm: 64, qemu: 96, test: 0, simulated: 0 }

/** What this host tells of itself: what the hypervisor is, and the share of the machine that it may use. */
export function inventoryOf(
  { host }: Pick<AgentConfiguration, 'host'>,
  description: HypervisorDescription,
  uptimeSeconds: number,
): Inventory {
  return {
    architecture: description.architecture,
    hypervisorType: description.hypervisorType,
    hypervisorVersion: description.hypervisorVersion,
    virtType: description.virtType,
    virtTypeReason: description.virtTypeReason,
    cpuInfo: description.cpuInfo,
    totalVcpus: host.vcpus,
    totalMemoryMiB: host.memoryMiB,
    totalDiskGiB: host.diskGiB,
    reservedMemoryMiB: host.reservedMemoryMiB,
    reservedDiskGiB: host.reservedDiskGiB,
    overheadMiB: overheadMiB[description.virtType],
    vcpuRatio: host.vcpuRatio,
    uptimeSeconds,
  }
}
