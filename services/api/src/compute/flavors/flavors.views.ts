import type { FlavorRow } from '@nubo/database'

// The newest version's shapes (2.96).

const links = (id: string, baseUrl: string) => [
  { rel: 'self', href: `${baseUrl}/v2.1/flavors/${id}` },
  { rel: 'bookmark', href: `${baseUrl}/flavors/${id}` },
]

export function flavorBriefView(flavor: FlavorRow, baseUrl: string) {
  return { id: flavor.id, name: flavor.name, links: links(flavor.id, baseUrl), description: flavor.description }
}

export function flavorView(flavor: FlavorRow, { baseUrl, extraSpecs }: { baseUrl: string; extraSpecs: boolean }) {
  return {
    id: flavor.id,
    name: flavor.name,
    ram: flavor.memoryMiB,
    disk: flavor.diskGiB,
    swap: flavor.swapMiB,
    'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeralGiB,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: flavor.vcpus,
    'os-flavor-access:is_public': flavor.public,
    rxtx_factor: flavor.rxtxFactor,
    links: links(flavor.id, baseUrl),
    description: flavor.description,
    ...(extraSpecs ? { extra_specs: flavor.extraSpecs } : {}),
  }
}

export function flavorAccessView(id: string, projectIds: readonly string[]) {
  return { flavor_access: projectIds.map((projectId) => ({ flavor_id: id, tenant_id: projectId })) }
}
