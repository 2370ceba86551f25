import type { Compute } from './compute.js'
import { pick } from './names.js'
import { Nubo } from './nubo.js'

/** A host as Nubo itself sees it: Nova's services and hypervisors say less. More keys may come. */
export interface Host {
  id: string
  name: string
  /** up, down, fenced or quarantined. */
  state: string
  why: string | null
  what_to_do: string | null
  status: string
  disabled_reason: string | null
  address: string
  virt_type: string
  fencing_epoch: number
  last_heard_at: string | null
  servers: number
  waiting_steps: number
  tombstones: HeldGuest[]
  abandoned: HeldGuest[]
}

export interface HeldGuest {
  server_id: string
  incarnation: number
}

export interface InspectedHost extends Host {
  answered: boolean
  trouble: string | null
  findings: { code: string; message: string; repair: { possible: boolean; how: string } }[]
}

export interface HostList {
  hosts: Host[]
  /** False while the cloud itself is deaf: then no host becomes down. */
  hosts_are_heard: boolean
}

const without = 'does not tell of its hosts'

/** `GET /nubo/v1/hosts`, for administrators. */
export async function listHosts(compute: Compute): Promise<HostList> {
  return await new Nubo(compute).get<HostList>('/hosts', { doing: 'Listing the hosts', without })
}

export async function findHost(compute: Compute, wanted: string): Promise<Host> {
  return pick('host', wanted, (await listHosts(compute)).hosts, ({ name }) => name)
}

/** Asks the host itself too. */
export async function inspectHost(compute: Compute, id: string): Promise<InspectedHost> {
  return (await new Nubo(compute).get<{ host: InspectedHost }>(`/hosts/${id}`, { doing: 'Showing the host', without })).host
}

export async function fenceHost(compute: Compute, id: string): Promise<Host> {
  return (await new Nubo(compute).post<{ host: Host }>(`/hosts/${id}/fence`, {}, { doing: 'Fencing the host', without })).host
}

export async function releaseHost(compute: Compute, id: string): Promise<Host> {
  const request = { doing: 'Releasing the host', without }
  return (await new Nubo(compute).post<{ host: Host }>(`/hosts/${id}/release`, {}, request)).host
}
