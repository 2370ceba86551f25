import type { HostedServer, HypervisorRow, HypervisorTotals } from '@nubo/database'
import { withSource } from '@nubo/wire'

// The newest version's shapes (2.96). What older ones show beside it is made from the row that hangs on each view.

export interface HypervisorViewOptions {
  /** The servers on it, where they were asked for. */
  servers?: readonly HostedServer[] | undefined
  now: Date
}

export function hypervisorBriefView(row: HypervisorRow, servers?: readonly HostedServer[]) {
  const view = {
    id: row.id,
    hypervisor_hostname: row.name,
    state: row.alive ? 'up' : 'down',
    status: row.enabled ? 'enabled' : 'disabled',
    ...(servers ? { servers: servers.map(({ id, name }) => ({ uuid: id, name })) } : {}),
  }
  return withSource(view, row)
}

export function hypervisorView(row: HypervisorRow, { servers, now }: HypervisorViewOptions) {
  const view = {
    ...hypervisorBriefView(row, servers),
    hypervisor_type: typeOf(row),
    hypervisor_version: row.hypervisorVersion,
    host_ip: row.address,
    service: { id: row.id, host: row.name, disabled_reason: row.disabledReason },
    uptime: uptimeOf(row, now),
  }
  return withSource(view, row)
}

/**
 * KVM where guests run on it, and otherwise what libvirt calls its driver. (Nova says QEMU for both, as libvirt does: its
 * users cannot see which of their hosts are a hundred times slower.)
 */
const typeOf = (row: HypervisorRow) => (row.virtType === 'kvm' ? 'KVM' : row.hypervisorType)

/** As `uptime` writes it, as far as the host tells; null for a host that is not heard of. */
export function uptimeOf(row: HypervisorRow, now: Date): string | null {
  if (!row.alive) return null
  const minutes = Math.floor(row.uptimeSeconds / 60)
  const days = Math.floor(minutes / 1440)
  const hours = `${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, '0')}`
  const parts = [...(days > 0 ? [`${days} day${days === 1 ? '' : 's'}`] : []), hours]
  return ` ${now.toISOString().slice(11, 19)} up ${parts.join(', ')}`
}

/** What 2.88 took away: the room of a host. Nova counts what a host keeps for itself as used. */
export function resourceFields(row: HypervisorRow) {
  const memoryUsed = row.usedMemoryMiB + row.reservedMemoryMiB
  const diskUsed = row.usedDiskGiB + row.reservedDiskGiB
  return {
    vcpus: row.totalVcpus,
    vcpus_used: row.usedVcpus,
    memory_mb: row.totalMemoryMiB,
    memory_mb_used: memoryUsed,
    free_ram_mb: row.totalMemoryMiB - memoryUsed,
    local_gb: row.totalDiskGiB,
    local_gb_used: diskUsed,
    free_disk_gb: row.totalDiskGiB - diskUsed,
    disk_available_least: null,
    running_vms: row.serverCount,
    current_workload: row.busyServerCount,
    cpu_info: { ...row.cpuInfo, virt_type: row.virtType, virt_type_reason: row.virtTypeReason },
  }
}

export function statisticsView(totals: HypervisorTotals) {
  return {
    count: totals.count,
    vcpus: totals.totalVcpus,
    vcpus_used: totals.usedVcpus,
    memory_mb: totals.totalMemoryMiB,
    memory_mb_used: totals.usedMemoryMiB,
    free_ram_mb: totals.totalMemoryMiB - totals.usedMemoryMiB,
    local_gb: totals.totalDiskGiB,
    local_gb_used: totals.usedDiskGiB,
    free_disk_gb: totals.totalDiskGiB - totals.usedDiskGiB,
    disk_available_least: null,
    running_vms: totals.serverCount,
    current_workload: totals.busyServerCount,
  }
}

/** Ours: how a host runs guests, and why not otherwise. OpenStack's own answers have no place for it since 2.88. */
export function virtTypeView(row: HypervisorRow) {
  return {
    id: row.id,
    hypervisor_hostname: row.name,
    hypervisor_type: typeOf(row),
    virt_type: row.virtType,
    virt_type_reason: row.virtTypeReason,
    cpu_info: row.cpuInfo,
  }
}
