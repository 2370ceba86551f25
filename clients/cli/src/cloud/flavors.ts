import type { Compute } from './compute.js'
import { pick } from './names.js'

/** A flavor in the compute service's keys: `ram` and `swap` in MiB, `disk` and ephemeral in GiB. */
export interface Flavor {
  id: string
  name: string
  vcpus: number
  ram: number
  disk: number
  swap?: number | ''
  'OS-FLV-EXT-DATA:ephemeral'?: number
  'os-flavor-access:is_public'?: boolean
  description?: string | null
  /** In the flavor itself from 2.61 on. */
  extra_specs?: Record<string, string>
}

export interface NewFlavor {
  name: string
  /** undefined: the cloud makes one. */
  id: string | undefined
  vcpus: number
  ramMiB: number
  diskGiB: number
  ephemeralGiB: number
  swapMiB: number
  isPublic: boolean
  description?: string | undefined
}

/** `GET /flavors/detail`. Administrators get the private ones of all projects too; others what they may use. */
export async function listFlavors(compute: Compute): Promise<Flavor[]> {
  const { roles } = await compute.session.authorize()
  const query = { is_public: roles.includes('admin') ? 'None' : undefined }
  return compute.list<Flavor>('/flavors/detail', 'flavors', 'Listing the flavors', { query })
}

export async function findFlavor(compute: Compute, wanted: string): Promise<Flavor> {
  return pick('flavor', wanted, await listFlavors(compute), (flavor) => flavor.name)
}

/** A flavor's extra specs, from a request of their own where the microversion leaves them out. */
export async function flavorProperties(compute: Compute, flavor: Flavor): Promise<Record<string, string>> {
  if (flavor.extra_specs) return flavor.extra_specs
  const path = `/flavors/${encodeURIComponent(flavor.id)}/os-extra_specs`
  const { extra_specs } = await compute.get<{ extra_specs: Record<string, string> }>(path, "Reading the flavor's properties")
  return extra_specs
}

/** `POST /flavors`, for administrators. */
export async function createFlavor(compute: Compute, wanted: NewFlavor): Promise<Flavor> {
  if (wanted.description !== undefined) await compute.need('2.55', '--description')
  const { flavor } = await compute.post<{ flavor: Flavor }>('/flavors', 'Creating the flavor', {
    json: {
      flavor: {
        name: wanted.name,
        id: wanted.id ?? null,
        vcpus: wanted.vcpus,
        ram: wanted.ramMiB,
        disk: wanted.diskGiB,
        swap: wanted.swapMiB,
        'OS-FLV-EXT-DATA:ephemeral': wanted.ephemeralGiB,
        'os-flavor-access:is_public': wanted.isPublic,
        description: wanted.description,
      },
    },
  })
  return flavor
}

/** `POST /flavors/{id}/os-extra_specs`. */
export async function setFlavorProperties(compute: Compute, id: string, properties: Record<string, string>): Promise<void> {
  const path = `/flavors/${encodeURIComponent(id)}/os-extra_specs`
  await compute.change('POST', path, "Setting the flavor's properties", { json: { extra_specs: properties } })
}

/** `DELETE /flavors/{id}`. */
export async function deleteFlavor(compute: Compute, id: string): Promise<void> {
  await compute.change('DELETE', `/flavors/${encodeURIComponent(id)}`, 'Deleting the flavor')
}
