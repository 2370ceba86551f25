import { join } from 'node:path'
import type { DatabaseAddress } from './data/postgres.js'
import type { RedisAddress } from './data/redis-address.js'
import type { RedisRole } from './data/redis-users.js'
import { controlPlaneAddress, hostAddress, underlayMtu } from './host/network.js'
import { outsideDevice } from './host/outside.js'
import type { HostRecord, Installation } from './installation/installation.js'

/** What every service is told. */
export interface BaseConfiguration {
  log: { level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' }
  listen: { host: string; port: number }
  /** Where a service that tenants reach tells its figures; the others do at `listen`. */
  metrics?: { listen: { host: string; port: number } }
}

export interface DatabaseConfiguration extends DatabaseAddress {
  poolSize: number
}

export interface ApiConfiguration extends BaseConfiguration {
  database: DatabaseConfiguration
  redis: RedisAddress
  region: string
  publicUrl: string
  imageUrl: string
  tokens: { privateKeyFile: string; lifetimeSeconds: number }
  networks: { underlayMtu: number }
  hostCommands: { privateKeyFile: string }
}

export interface ImageConfiguration extends BaseConfiguration {
  database: DatabaseConfiguration
  publicUrl: string
  identityUrl: string
  tokens: { publicKeyFile: string }
  directory: string
  agentCredentials: { publicKeyFile: string }
}

/** Both cast the commands that make guests, so both hand out what their images are fetched with. */
/** For the two that cast commands which make hosts fetch images. */
export interface CasterConfiguration extends BaseConfiguration {
  database: DatabaseConfiguration
  redis: RedisAddress
  imageUrl: string
  imageCredentials: { privateKeyFile: string }
  hostCommands: { privateKeyFile: string }
}

export interface AgentConfiguration extends BaseConfiguration {
  redis: RedisAddress
  controlPlane: { publicKeyFile: string }
  host: {
    id: string
    name: string
    directory: string
    libvirtSocket: string
    address: string
    memoryMiB: number
    vcpus: number
    diskGiB: number
    reservedMemoryMiB: number
  }
  driver: 'libvirt' | 'simulated'
  virtType: 'auto' | 'kvm' | 'qemu'
  networks: { physicalNetworks: Record<string, { device: string }> }
}

/** The control plane's public key, in the folder of each agent. */
export const controlPlaneKeyFile = 'control-plane.pub'

/** The port on its own host's address at which every agent tells of its health. */
export const agentPort = 8790

/** What the outside is called among the hosts' physical networks. */
export const outsideNetwork = 'external'

/** Where things lie, as the services see it. */
export interface Places {
  /** The folder of PostgreSQL's socket. */
  postgres: string
  /** The data folder. */
  data: string
}

/** The files of the key pairs, in the data folder's `keys`. */
export const keyFiles = {
  tokenPrivate: 'token-private.pem',
  tokenPublic: 'token-public.pem',
  imagePrivate: 'image-credential-private.pem',
  imagePublic: 'image-credential-public.pem',
  commandPrivate: 'host-command-private.pem',
  commandPublic: 'host-command-public.pem',
} as const

const log = { level: 'info' } as const
const loopback = '127.0.0.1'

/** The addresses that people and services use. */
export function addresses(installation: Installation) {
  const { ports, underlay } = installation
  return {
    api: `http://${loopback}:${ports.api}`,
    // Hosts fetch images too, so it listens on the underlay, which is an address of this machine as well.
    image: `http://${controlPlaneAddress(underlay)}:${ports.image}`,
  }
}

export function databaseOf(installation: Installation, places: Places): DatabaseAddress {
  return { host: places.postgres, port: 5432, database: 'nubo', user: 'nubo', password: installation.passwords.postgres }
}

/** Redis as this role of the control plane reaches it. */
export function redisOf(installation: Installation, role: RedisRole): RedisAddress {
  // An installation that was made before roles had users of their own has none until its next `up`.
  const password = installation.redisPasswords?.[role] ?? ''
  return { host: loopback, port: installation.ports.redis, username: role, password }
}

/** The configuration of every service of the control plane. */
export function controlPlaneConfigurations(installation: Installation, places: Places) {
  const { ports, underlay } = installation
  const { api, image } = addresses(installation)
  const database = (poolSize: number): DatabaseConfiguration => ({ ...databaseOf(installation, places), poolSize })
  const redis = (role: RedisRole) => redisOf(installation, role)
  const key = (name: keyof typeof keyFiles) => join(places.data, 'keys', keyFiles[name])
  const imageCredentials = { privateKeyFile: key('imagePrivate') }
  const hostCommands = { privateKeyFile: key('commandPrivate') }
  return {
    image: {
      log,
      listen: { host: controlPlaneAddress(underlay), port: ports.image },
      metrics: { listen: { host: loopback, port: ports.imageMetrics } },
      database: database(8),
      publicUrl: image,
      identityUrl: api,
      tokens: { publicKeyFile: key('tokenPublic') },
      directory: join(places.data, 'images'),
      agentCredentials: { publicKeyFile: key('imagePublic') },
    } satisfies ImageConfiguration,
    api: {
      log,
      listen: { host: loopback, port: ports.api },
      metrics: { listen: { host: loopback, port: ports.apiMetrics } },
      database: database(16),
      redis: redis('api'),
      hostCommands,
      region: 'RegionOne',
      publicUrl: api,
      imageUrl: image,
      tokens: { privateKeyFile: key('tokenPrivate'), lifetimeSeconds: 3600 },
      networks: { underlayMtu },
    } satisfies ApiConfiguration,
    scheduler: {
      log,
      listen: { host: loopback, port: ports.scheduler },
      database: database(4),
      redis: redis('scheduler'),
      hostCommands,
      imageUrl: image,
      imageCredentials,
    } satisfies CasterConfiguration,
    conductor: {
      log,
      listen: { host: loopback, port: ports.conductor },
      database: database(12),
      redis: redis('conductor'),
      hostCommands,
      imageUrl: image,
      imageCredentials,
    } satisfies CasterConfiguration,
  }
}

/** The configuration of one host's agent; it knows nothing of the database. */
export function agentConfiguration(installation: Installation, host: HostRecord, directory: string): AgentConfiguration {
  const { ports, underlay } = installation
  const address = hostAddress(underlay, host.number)
  return {
    log,
    listen: { host: address, port: agentPort },
    redis: { host: controlPlaneAddress(underlay), port: ports.redis, username: host.name, password: host.redisPassword },
    // The folder of keys is not for hosts to see.
    controlPlane: { publicKeyFile: join(directory, controlPlaneKeyFile) },
    host: {
      id: host.id,
      name: host.name,
      directory,
      libvirtSocket: '/run/libvirt/libvirt-sock',
      address,
      ...installation.share,
    },
    driver: 'libvirt',
    virtType: 'auto',
    networks: { physicalNetworks: { [outsideNetwork]: { device: outsideDevice } } },
  }
}
