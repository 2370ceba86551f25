import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { Refusal } from '../../bootstrap/refusal.mjs'
import { type RedisRole, redisRoles } from '../data/redis-users.js'
import { isPortFree, reservePort } from '../process/ports.js'
import { run } from '../process/run.js'
import type { Underlay } from '../host/network.js'
import type { Outside } from '../host/outside.js'
import { type HostShare, type Machine, shareOut } from '../shares.js'
import { DataFolder, repositoryDirectory } from './place.js'
import { choosePorts, type Ports } from './port-block.js'
import { chooseSubnet, type Route } from './subnet.js'

export interface HostRecord {
  name: string
  /** From 1: gives the address and the name of the network device. */
  number: number
  /** The host's identity in the cloud, and libvirt's host UUID. */
  id: HostId
  redisPassword: string
}

/** What one clone's cloud is, made once at its first `up` and kept in `.nubo/installation.json` (0600). */
export interface Installation {
  version: 1
  /** The folder of the clone that it was made in. */
  clone: string
  /** Eight hexadecimal digits, in the name of everything that the machine sees of this cloud. */
  id: string
  ports: Ports
  underlay: Underlay
  outside: Outside
  passwords: { postgres: string; admin: string; demo: string }
  /** Of the control plane's users of Redis. */
  redisPasswords: Record<RedisRole, string>
  hosts: HostRecord[]
  /** What the machine was when it was shared out, and each host's share. */
  machine: Machine
  share: HostShare
}

const hostNames = ['host-1', 'host-2']

export function loadInstallation(folder = new DataFolder()): Installation | undefined {
  if (!existsSync(folder.installation)) return undefined
  return JSON.parse(readFileSync(folder.installation, 'utf8')) as Installation
}

/** Written beside and moved into place, so that it is whole or not there. */
export function saveInstallation(installation: Installation, folder = new DataFolder()): void {
  mkdirSync(folder.path, { recursive: true, mode: 0o755 })
  const fresh = `${folder.installation}.new`
  writeFileSync(fresh, `${JSON.stringify(installation, null, 2)}\n`, { mode: 0o600 })
  renameSync(fresh, folder.installation)
}

/** A new installation: names, ports and a subnet that nothing on the machine uses now. */
export async function makeInstallation(machine: Machine, clone = repositoryDirectory): Promise<Installation> {
  const id = systemRandom.bytes(4).toString('hex')
  const ports = await choosePorts(id, { isFree: (port) => isPortFree(port, '0.0.0.0'), reserve: reservePort })
  if (!ports)
    throw new Refusal('no seven neighbouring ports are free between 8700 and 8999: end what listens there and run this again.')
  const prefix = chooseSubnet(id, await machineRoutes())
  if (!prefix) throw noSubnet()
  return {
    version: 1,
    clone,
    id,
    ports,
    underlay: { bridge: `nb-${id}`, prefix },
    outside: await chooseOutside(id, prefix),
    passwords: { postgres: password(), admin: password(), demo: password() },
    redisPasswords: redisPasswords(),
    hosts: hostNames.map((name, index) => ({
      name,
      number: index + 1,
      id: newId<HostId>(systemRandom),
      redisPassword: password(),
    })),
    machine,
    share: shareOut(machine, hostNames.length),
  }
}

/**
 * Notices that the clone lies elsewhere than when the installation was made. One that was moved goes on; one that was copied
 * would meet the original in every name, so it is refused.
 */
export function followMove(installation: Installation, clone = repositoryDirectory): boolean {
  if (installation.clone === clone) return false
  const original = loadInstallation(new DataFolder(join(installation.clone, '.nubo')))
  if (original?.id === installation.id) {
    throw new Refusal(
      `this .nubo is a copy of the one in ${installation.clone}: remove it here (rm -rf .nubo) and run this again.`,
    )
  }
  installation.clone = clone
  return true
}

/**
 * Shares the machine out again where its memory or processors are others now. Free disk changes all the time, and most
 * by what the hosts themselves hold, so it counts as it was at first.
 */
export function shareOutAgain(installation: Installation, now: Machine): boolean {
  const { machine } = installation
  if (now.memoryMiB === machine.memoryMiB && now.cpus === machine.cpus) return false
  installation.machine = { ...now, diskGiB: machine.diskGiB }
  installation.share = shareOut(installation.machine, installation.hosts.length)
  return true
}

export async function machineRoutes(): Promise<(Route & { dev?: string })[]> {
  const { stdout } = await run('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])
  return stdout.trim() ? (JSON.parse(stdout) as (Route & { dev?: string })[]) : []
}

/** Gives an installation that was made before each role had a user of its own in Redis what it lacks. */
export function giveRedisUsers(installation: Installation): boolean {
  const missing = redisRoles.some((role) => installation.redisPasswords?.[role] === undefined)
  if (missing) installation.redisPasswords = { ...redisPasswords(), ...installation.redisPasswords }
  return missing
}

/** Gives an installation that was made before its hosts had an outside what it lacks. */
export async function giveOutside(installation: Installation): Promise<boolean> {
  const isMissing = installation.outside === undefined
  if (isMissing) installation.outside = await chooseOutside(installation.id, installation.underlay.prefix)
  return isMissing
}

async function chooseOutside(id: string, underlayPrefix: string): Promise<Outside> {
  const prefix = chooseSubnet(id, [...(await machineRoutes()), { dst: `${underlayPrefix}.0/24` }])
  if (!prefix) throw noSubnet()
  return { bridge: `nx-${id}`, prefix }
}

function noSubnet(): Refusal {
  return new Refusal('the routes of this machine leave no two /24 free in 10.0.0.0/8 or 100.64.0.0/10 for its hosts.')
}

function redisPasswords(): Record<RedisRole, string> {
  return Object.fromEntries(redisRoles.map((role) => [role, password()])) as Record<RedisRole, string>
}

/** 144 bits, in letters that need no quoting anywhere. */
function password(): string {
  return systemRandom.bytes(18).toString('base64url')
}
