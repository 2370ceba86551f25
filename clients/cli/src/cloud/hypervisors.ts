import type { Compute } from './compute.js'
import { pick } from './names.js'

/** A hypervisor in the compute service's keys. Room and load were dropped from it in 2.88. */
export interface Hypervisor {
  id: string | number
  hypervisor_hostname: string
  hypervisor_type: string
  hypervisor_version: number
  host_ip?: string
  state: string
  status: string
  vcpus?: number
  vcpus_used?: number
  memory_mb?: number
  memory_mb_used?: number
  local_gb?: number
  local_gb_used?: number
  running_vms?: number
  uptime?: string | null
  service?: { id: number | string; host: string; disabled_reason: string | null }
}

/** The last microversion whose hypervisors say how full they are. */
const lastWithRoom = '2.87'

/** `GET /os-hypervisors/detail`, for administrators. */
export async function listHypervisors(compute: Compute): Promise<Hypervisor[]> {
  return compute.list<Hypervisor>('/os-hypervisors/detail', 'hypervisors', 'Listing the hypervisors', { notAfter: lastWithRoom })
}

export async function findHypervisor(compute: Compute, wanted: string): Promise<Hypervisor> {
  const candidates = (await listHypervisors(compute)).map((hypervisor) => ({ ...hypervisor, id: String(hypervisor.id) }))
  return pick('hypervisor', wanted, candidates, (hypervisor) => hypervisor.hypervisor_hostname)
}
