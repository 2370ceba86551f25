/** What one host may use of the machine. */
export interface HostShare {
  memoryMiB: number
  vcpus: number
  diskGiB: number
  /** Of `memoryMiB`, what the host keeps for libvirtd, its agent and page tables. */
  reservedMemoryMiB: number
}

export interface Machine {
  memoryMiB: number
  cpus: number
  /** Free under the data folder, plus what the hosts hold there already. */
  diskGiB: number
}

/** Kept for the control plane and for whatever else the machine does. */
const controlPlaneMemoryMiB = 1536
const controlPlaneDiskGiB = 4
const hostReserveMiB = 256

/**
 * Divides the machine among its hosts: memory and disk less a reserve for the control plane, processors evenly but at
 * least one each. The shares together are never more than the machine has.
 */
export function shareOut(machine: Machine, hosts: number): HostShare {
  const memoryMiB = Math.floor((machine.memoryMiB - controlPlaneMemoryMiB) / hosts)
  return {
    memoryMiB: Math.max(memoryMiB, 0),
    vcpus: Math.max(Math.floor(machine.cpus / hosts), 1),
    diskGiB: Math.max(Math.floor((machine.diskGiB - controlPlaneDiskGiB) / hosts), 0),
    reservedMemoryMiB: hostReserveMiB,
  }
}
