import type { FlavorId } from '@nubo/kernel'

export interface FlavorRow {
  id: FlavorId
  name: string
  description: string | null
  vcpus: number
  memoryMiB: number
  diskGiB: number
  ephemeralGiB: number
  swapMiB: number
  rxtxFactor: number
  public: boolean
  extraSpecs: Record<string, string>
}

export const flavorRowColumns = `f.id, f.name, f.description, f.vcpus, f.memory_mib AS "memoryMiB", f.disk_gib AS "diskGiB",
  f.ephemeral_gib AS "ephemeralGiB", f.swap_mib AS "swapMiB", f.rxtx_factor AS "rxtxFactor", f.public, f.extra_specs AS "extraSpecs"`
