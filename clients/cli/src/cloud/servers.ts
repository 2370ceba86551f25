import { CommandError, exitCode } from '../exit.js'
import type { Compute } from './compute.js'
import { looksLikeId, orNothing, pick } from './names.js'

/**
 * A server as the compute service answers, in its own keys. Which of them are there depends on the microversion, on who
 * asks, and on whether the server's part of the cloud is up (2.69).
 */
export interface Server {
  id: string
  name?: string
  status: string
  tenant_id?: string
  user_id?: string
  created?: string
  updated?: string
  image?: { id: string } | ''
  flavor?: { id?: string; original_name?: string; vcpus?: number; ram?: number; disk?: number }
  addresses?: Record<string, { addr: string; version: number }[]>
  key_name?: string | null
  metadata?: Record<string, string>
  description?: string | null
  tags?: string[]
  locked?: boolean
  config_drive?: string
  fault?: { code: number; message: string; created: string }
  'OS-EXT-STS:task_state'?: string | null
  'OS-EXT-STS:power_state'?: number
  'OS-EXT-AZ:availability_zone'?: string | null
  'OS-EXT-SRV-ATTR:host'?: string | null
  'OS-SRV-USG:launched_at'?: string | null
}

export interface ServerFilters {
  name?: string | undefined
  status?: string | undefined
  image?: string | undefined
  flavor?: string | undefined
  host?: string | undefined
  allProjects?: boolean | undefined
  reservation?: string | undefined
}

/** `GET /servers/detail`, all pages. `name` is taken as a regular expression by Nova. */
export function listServers(compute: Compute, filters: ServerFilters = {}, limit?: number): Promise<Server[]> {
  return compute.list<Server>('/servers/detail', 'servers', 'Listing the servers', {
    query: {
      name: filters.name,
      status: filters.status,
      image: filters.image,
      flavor: filters.flavor,
      host: filters.host,
      reservation_id: filters.reservation,
      all_tenants: filters.allProjects ? 1 : undefined,
      limit,
    },
    limit,
  })
}

/** `GET /servers/{id}`. */
export async function getServer(compute: Compute, id: string, signal?: AbortSignal): Promise<Server> {
  const path = `/servers/${encodeURIComponent(id)}`
  const { server } = await compute.get<{ server: Server }>(path, 'Reading the server', { signal })
  return server
}

/** Finds a server by id or by its exact name. */
export async function findServer(compute: Compute, wanted: string): Promise<Server> {
  const byId = looksLikeId(wanted) ? await orNothing(getServer(compute, wanted)) : undefined
  return byId ?? pick('server', wanted, await listServers(compute, { name: nameFilter(wanted) }), (server) => server.name)
}

/** The name as a filter, where it means the same to a cloud that reads regular expressions and to one that does not. */
function nameFilter(name: string): string | undefined {
  return /^[\w -]+$/.test(name) ? name : undefined
}

/** `POST /servers/{id}/action`. */
export async function serverAction(
  compute: Compute,
  id: string,
  action: string,
  argument: unknown,
  doing: string,
): Promise<void> {
  await compute.change('POST', `/servers/${id}/action`, doing, { json: { [action]: argument } })
}

/** `DELETE /servers/{id}`. */
export async function deleteServer(compute: Compute, id: string): Promise<void> {
  await compute.change('DELETE', `/servers/${id}`, 'Deleting the server')
}

/** The last `lines` of the console, or all that the cloud keeps (action os-getConsoleOutput). */
export async function consoleLog(compute: Compute, id: string, lines?: number, signal?: AbortSignal): Promise<string> {
  const doing = 'Reading the console'
  const { output } = await compute.post<{ output?: string }>(`/servers/${id}/action`, doing, {
    json: { 'os-getConsoleOutput': lines === undefined ? {} : { length: lines } },
    signal,
  })
  if (typeof output === 'string') return output
  throw new CommandError(exitCode.cloudError, `${doing} failed: the answer has no output`)
}

/** `PUT /servers/{id}`: the name and the description. */
export async function updateServer(
  compute: Compute,
  id: string,
  changes: { name?: string; description?: string },
): Promise<void> {
  if (changes.description !== undefined) await compute.need('2.19', '--description')
  await compute.change('PUT', `/servers/${id}`, 'Changing the server', { json: { server: changes } })
}

/** `POST /servers/{id}/metadata`: adds to the server's metadata and replaces what is there under the same key. */
export async function setServerMetadata(compute: Compute, id: string, metadata: Record<string, string>): Promise<void> {
  await compute.change('POST', `/servers/${id}/metadata`, "Setting the server's properties", { json: { metadata } })
}

/** `DELETE /servers/{id}/metadata/{key}`. */
export async function deleteServerMetadata(compute: Compute, id: string, key: string): Promise<void> {
  await compute.change('DELETE', `/servers/${id}/metadata/${encodeURIComponent(key)}`, "Removing the server's property")
}

/** `GET /servers/{id}/os-instance-actions`: what was done to the server, newest first. */
export interface ServerEvent {
  request_id: string
  action: string
  start_time: string
  updated_at?: string
  message: string | null
  user_id?: string
}

export function listServerEvents(compute: Compute, id: string): Promise<ServerEvent[]> {
  return compute.list<ServerEvent>(`/servers/${id}/os-instance-actions`, 'instanceActions', "Listing the server's events")
}

export interface NewServer {
  name: string
  imageId: string
  flavorId: string
  keyName?: string | undefined
  metadata: Record<string, string>
  userDataBase64?: string | undefined
  configDrive?: boolean | undefined
  networks: 'auto' | 'none' | { uuid: string }[]
  description?: string | undefined
  availabilityZone?: string | undefined
  tags: string[]
  hints: Record<string, string>
  minCount: number
  maxCount: number
}

/** `POST /servers`. Resolves with the ids asked for: one id, or the reservation under which several are made. */
export async function createServers(compute: Compute, wanted: NewServer): Promise<{ id: string } | { reservation: string }> {
  if (wanted.description !== undefined) await compute.need('2.19', '--description')
  if (wanted.tags.length > 0) await compute.need('2.52', '--tag')
  const several = wanted.maxCount > 1
  const server = {
    name: wanted.name,
    imageRef: wanted.imageId,
    flavorRef: wanted.flavorId,
    key_name: wanted.keyName,
    metadata: Object.keys(wanted.metadata).length > 0 ? wanted.metadata : undefined,
    user_data: wanted.userDataBase64,
    config_drive: wanted.configDrive,
    description: wanted.description,
    availability_zone: wanted.availabilityZone,
    tags: wanted.tags.length > 0 ? wanted.tags : undefined,
    networks: await networksFor(compute, wanted.networks),
    ...(several && { min_count: wanted.minCount, max_count: wanted.maxCount, return_reservation_id: true }),
  }
  const body = await compute.post<{ reservation_id?: string; server?: { id: string } }>('/servers', 'Creating the server', {
    json: { server, ...(Object.keys(wanted.hints).length > 0 && { 'os:scheduler_hints': wanted.hints }) },
  })
  if (body.reservation_id) return { reservation: body.reservation_id }
  if (body.server) return { id: body.server.id }
  throw new CommandError(exitCode.cloudError, 'Creating the server failed: the answer names none')
}

/** From 2.37 on `networks` must be there, with 'auto' or 'none' for whom does not care; before, absence means 'auto'. */
async function networksFor(compute: Compute, networks: NewServer['networks']): Promise<NewServer['networks'] | undefined> {
  if (await compute.supports('2.37')) return networks
  if (networks === 'none') await compute.need('2.37', '--network none')
  return networks === 'auto' ? undefined : networks
}
