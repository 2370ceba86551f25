import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { createMigrated } from '@nubo/database/testing'
import type { RedisAddress } from '@nubo/deploy'
import type { HostId } from '@nubo/kernel'

// What the services of a `Cloud` are told, as `npm run up` tells them (deploy/src/configuration.ts).

export const redisPassword = 'redis-password'
const poolSizes = { api: 16, image: 8, scheduler: 4, conductor: 12 }

export interface HostOptions {
  name: string
  vcpus: number
  memoryMiB: number
  diskGiB: number
  /** Where guests really run; a host without it is simulated. */
  libvirt?: LibvirtOptions
}

export type KnownHost = HostOptions & { id: HostId }

interface LibvirtOptions {
  socketPath: string
  /** The agent's, an existing one that QEMU's user can pass through. */
  directory: string
  virtType: 'kvm' | 'qemu'
}

export interface ServiceOptions {
  logLevel?: 'info' | 'warn' | 'debug'
  /** When the api takes on no more work; as in production where nothing is said. */
  takeOnUntil?: Readonly<Record<string, number>>
}

/** What the services stand on. */
interface Ground {
  database: Awaited<ReturnType<typeof createMigrated>>
  redis: RedisAddress
  keys: Awaited<ReturnType<typeof writeKeys>>
  apiUrl: string
  imageUrl: string
  /** The folder of the images' bytes. */
  images: string
}

/** One key for all that the control plane signs. */
export async function writeKeys(directory: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const privateKeyFile = join(directory, 'key.pem')
  const publicKeyFile = join(directory, 'key.pub')
  await writeFile(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await writeFile(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  return { privateKeyFile, publicKeyFile }
}

const logOf = ({ logLevel = 'warn' }: ServiceOptions) => ({ level: logLevel })

/** As whom a service, or a host, comes to Redis. */
const redisAs = ({ redis }: Ground, username: string) => ({ ...redis, username, password: redisPassword })

function listenAt(url: string) {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** @returns all but where it listens for whoever asks for its figures; and where it listens, if that is no matter. */
export function configurationOf(name: keyof typeof poolSizes, ground: Ground, options: ServiceOptions): Record<string, unknown> {
  const { apiUrl, imageUrl, keys, images } = ground
  const { privateKeyFile, publicKeyFile } = keys
  const common = { log: logOf(options), database: { ...ground.database, poolSize: poolSizes[name] } }
  const hostCommands = { privateKeyFile }
  if (name === 'image')
    return {
      ...common,
      ...{ listen: listenAt(imageUrl), publicUrl: imageUrl, identityUrl: apiUrl, directory: images },
      tokens: { publicKeyFile },
      agentCredentials: { publicKeyFile },
    }
  const redis = redisAs(ground, name)
  if (name !== 'api') return { ...common, redis, hostCommands, imageUrl, imageCredentials: { privateKeyFile } }
  return {
    ...common,
    ...{ redis, hostCommands, listen: listenAt(apiUrl), region: 'RegionOne', publicUrl: apiUrl, imageUrl },
    ...(options.takeOnUntil && { takeOnUntil: options.takeOnUntil }),
    tokens: { privateKeyFile, lifetimeSeconds: 3_600 },
  }
}

export function agentConfigurationOf(
  { libvirt, ...host }: KnownHost & { directory: string },
  ground: Ground,
  options: ServiceOptions,
): Record<string, unknown> {
  const { publicKeyFile } = ground.keys
  return {
    log: logOf(options),
    redis: redisAs(ground, host.name),
    controlPlane: { publicKeyFile },
    host: { ...host, libvirtSocket: libvirt?.socketPath ?? '', address: '127.0.0.1', reservedMemoryMiB: 0 },
    driver: libvirt ? 'libvirt' : 'simulated',
    virtType: libvirt?.virtType ?? 'auto',
  }
}
