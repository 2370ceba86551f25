import type { Compute } from './compute.js'
import { Nubo } from './nubo.js'

/** The key with which a host signs what it tells, and what was told in its name and not believed. */
export interface HostKey {
  host_id: string
  host: string | null
  fingerprint: string | null
  public_key: string | null
  enrolled_at: string | null
  enrolled_by: string | null
  refused: { reason: string; count: number; last_at: string }[]
}

const without = 'does not know its hosts by keys'

/** `GET /nubo/v1/host-keys`, for administrators. */
export async function listHostKeys(compute: Compute): Promise<HostKey[]> {
  const request = { doing: "Listing the hosts' keys", without }
  return (await new Nubo(compute).get<{ host_keys: HostKey[] }>('/host-keys', request)).host_keys
}

/** The key before it counts no more. */
export async function enrolHostKey(compute: Compute, hostId: string, publicKey: string): Promise<HostKey> {
  const request = { doing: "Enrolling the host's key", without }
  const body = { host_key: { public_key: publicKey } }
  return (await new Nubo(compute).put<{ host_key: HostKey }>(`/host-keys/${encodeURIComponent(hostId)}`, body, request)).host_key
}

export async function removeHostKey(compute: Compute, hostId: string): Promise<void> {
  await new Nubo(compute).delete(`/host-keys/${encodeURIComponent(hostId)}`, { doing: "Removing the host's key", without })
}
