import { listFlavors } from '../cloud/flavors.js'
import { orElse, orNothing } from '../cloud/names.js'
import type { Server } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import type { Colour } from '../output/style.js'
import type { View } from '../output/view.js'

/** A server with the names of what it refers to by id. */
export interface ServerRow {
  server: Server
  imageName: string | undefined
  flavorName: string | undefined
}

const powerStates: Record<number, string> = {
  0: 'unknown',
  1: 'running',
  3: 'paused',
  4: 'shut down',
  6: 'crashed',
  7: 'suspended',
}

export function statusColour(status: string): Colour | undefined {
  if (status === 'ERROR' || status === 'killed') return 'red'
  if (status === 'ACTIVE' || status === 'active') return 'green'
  return status === 'SHUTOFF' ? undefined : 'yellow'
}

export const serverView: View<ServerRow> = [
  { key: 'id', title: 'ID', value: ({ server }) => server.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: ({ server }) => server.name, listed: true },
  {
    key: 'status',
    title: 'Status',
    value: ({ server }) => server.status,
    colour: ({ server }) => statusColour(server.status),
    listed: true,
    whole: true,
  },
  { key: 'task_state', title: 'Task', value: ({ server }) => server['OS-EXT-STS:task_state'] ?? undefined },
  { key: 'power_state', title: 'Power', value: ({ server }) => powerStates[server['OS-EXT-STS:power_state'] ?? -1] },
  {
    key: 'fault',
    title: 'Fault',
    value: ({ server }) =>
      server.fault && { code: server.fault.code, message: server.fault.message, created: server.fault.created },
    text: ({ server }) => server.fault?.message ?? '-',
    colour: () => 'red',
  },
  {
    key: 'addresses',
    title: 'Addresses',
    value: ({ server }) =>
      server.addresses &&
      Object.fromEntries(Object.entries(server.addresses).map(([name, list]) => [name, list.map(({ addr }) => addr)])),
    listed: true,
  },
  {
    key: 'image',
    title: 'Image',
    value: ({ server, imageName }) => (server.image ? { id: server.image.id, name: imageName ?? null } : undefined),
    text: ({ server, imageName }) => imageName ?? (server.image ? server.image.id : '-'),
    listed: true,
  },
  {
    key: 'flavor',
    title: 'Flavor',
    value: ({ server: { flavor }, flavorName }) =>
      flavor && {
        id: flavor.id ?? null,
        name: flavorName ?? null,
        vcpus: flavor.vcpus ?? null,
        ram_mib: flavor.ram ?? null,
        disk_gib: flavor.disk ?? null,
      },
    text: ({ server: { flavor }, flavorName }) => flavorName ?? flavor?.id ?? '-',
    listed: true,
  },
  { key: 'key_name', title: 'Key pair', value: ({ server }) => server.key_name ?? undefined },
  { key: 'properties', title: 'Properties', value: ({ server }) => server.metadata },
  { key: 'description', title: 'Description', value: ({ server }) => server.description ?? undefined },
  { key: 'tags', title: 'Tags', value: ({ server }) => server.tags },
  { key: 'locked', title: 'Locked', value: ({ server }) => server.locked },
  {
    key: 'config_drive',
    title: 'Config drive',
    value: ({ server }) => (server.config_drive === undefined ? undefined : server.config_drive === 'True'),
  },
  {
    key: 'availability_zone',
    title: 'Availability zone',
    value: ({ server }) => server['OS-EXT-AZ:availability_zone'] ?? undefined,
  },
  { key: 'host', title: 'Host', value: ({ server }) => server['OS-EXT-SRV-ATTR:host'] ?? undefined },
  { key: 'project_id', title: 'Project', value: ({ server }) => server.tenant_id },
  { key: 'user_id', title: 'User', value: ({ server }) => server.user_id },
  { key: 'created_at', title: 'Created', value: ({ server }) => server.created },
  { key: 'updated_at', title: 'Updated', value: ({ server }) => server.updated },
  { key: 'launched_at', title: 'Launched', value: ({ server }) => server['OS-SRV-USG:launched_at'] ?? undefined },
]

/** Above so many different images one list of all costs less than asking for each. */
const mostSingleLookups = 8

/** Looks up the names of images and flavors. A name that cannot be had is left out: the list is about the servers. */
export async function withNames(context: CommandContext, servers: readonly Server[]): Promise<ServerRow[]> {
  const imageIds = new Set(servers.flatMap(({ image }) => (image ? [image.id] : [])))
  const flavorIds = new Set(servers.flatMap(({ flavor }) => (flavor?.id && !flavor.original_name ? [flavor.id] : [])))
  const [imageNames, flavorNames] = await Promise.all([nameImages(context, imageIds), nameFlavors(context, flavorIds)])
  return servers.map((server) => ({
    server,
    imageName: server.image ? imageNames.get(server.image.id) : undefined,
    flavorName: server.flavor?.original_name ?? flavorNames.get(server.flavor?.id ?? ''),
  }))
}

async function nameImages(context: CommandContext, ids: ReadonlySet<string>): Promise<Map<string, string>> {
  if (ids.size === 0) return new Map()
  const images = context.images()
  const single = async (id: string) => (await orNothing(images.get(id))) ?? { id, name: null }
  const lookup = ids.size > mostSingleLookups ? images.list() : Promise.all([...ids].map(single))
  const found = await orElse<{ id: string; name: string | null }[]>(lookup, [])
  return new Map(found.flatMap(({ id, name }) => (name ? [[id, name]] : [])))
}

async function nameFlavors(context: CommandContext, ids: ReadonlySet<string>): Promise<Map<string, string>> {
  if (ids.size === 0) return new Map()
  const flavors = await orElse(listFlavors(context.compute()), [])
  return new Map(flavors.map(({ id, name }) => [id, name]))
}
