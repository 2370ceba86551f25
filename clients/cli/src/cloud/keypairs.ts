import type { Compute } from './compute.js'

export interface Keypair {
  name: string
  fingerprint: string
  public_key: string
  /** 'ssh' or 'x509', from 2.2 on. */
  type?: string
  created_at?: string
  user_id?: string
}

/** `GET /os-keypairs`; paged from 2.35 on. */
export async function listKeypairs(compute: Compute): Promise<Keypair[]> {
  const entries = await compute.list<{ keypair: Keypair }>('/os-keypairs', 'keypairs', 'Listing the key pairs')
  return entries.map((entry) => entry.keypair)
}

/** `GET /os-keypairs/{name}`. Key pairs have no ids: names are unique to a user. */
export async function getKeypair(compute: Compute, name: string): Promise<Keypair> {
  const { keypair } = await compute.get<{ keypair: Keypair }>(`/os-keypairs/${encodeURIComponent(name)}`, 'Reading the key pair')
  return keypair
}

/** `POST /os-keypairs` with a public key, which every microversion takes. */
export async function importKeypair(compute: Compute, name: string, publicKey: string): Promise<Keypair> {
  const typed = (await compute.supports('2.2')) ? { type: 'ssh' } : {}
  const { keypair } = await compute.post<{ keypair: Keypair }>('/os-keypairs', 'Creating the key pair', {
    json: { keypair: { name, public_key: publicKey, ...typed } },
  })
  return keypair
}

/** `DELETE /os-keypairs/{name}`. */
export async function deleteKeypair(compute: Compute, name: string): Promise<void> {
  await compute.change('DELETE', `/os-keypairs/${encodeURIComponent(name)}`, 'Deleting the key pair')
}
