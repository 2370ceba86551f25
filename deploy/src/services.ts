import { createHash } from 'node:crypto'
import { chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cloud } from './cloud.js'
import { agentConfiguration, controlPlaneConfigurations, controlPlaneKeyFile, keyFiles } from './configuration.js'
import { postgresCommand, postgresConfiguration } from './data/postgres-program.js'
import { accessList, redisConfiguration } from './data/redis-program.js'
import type { Account } from './process/account.js'
import type { HostRecord } from './installation/installation.js'
import { memoryEnvironment, nodeFlags } from './node-memory.js'
import type { ServiceSpecification } from './supervisor/protocol.js'

/** The services of the control plane that are ours, in the order of their start. */
export const controlPlaneServices = ['image', 'conductor', 'scheduler', 'api'] as const
export type ControlPlaneService = (typeof controlPlaneServices)[number]

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', NODE_ENV: 'production' }

export function postgresService(cloud: Cloud): ServiceSpecification {
  const settings = cloud.postgres
  const { command, args } = postgresCommand(settings)
  return {
    name: 'postgres',
    command,
    args,
    workingDirectory: settings.dataDirectory,
    runAs: idsOf(cloud.account),
    environment,
    logFile: join(cloud.folder.folder('logs'), 'postgres.log'),
    // 'Fast shutdown': sessions are ended, what was committed is on disk.
    stopSignal: 'SIGINT',
    stopGraceMs: 30_000,
    fingerprint: fingerprintOf([command, ...args, postgresConfiguration(settings)]),
  }
}

export function redisService(cloud: Cloud, { command, args }: { command: string; args: string[] }): ServiceSpecification {
  const settings = cloud.redis
  return {
    name: 'redis',
    command,
    args,
    workingDirectory: settings.directory,
    runAs: idsOf(cloud.account),
    environment,
    logFile: join(cloud.folder.folder('logs'), 'redis.log'),
    stopSignal: 'SIGTERM',
    stopGraceMs: 30_000,
    fingerprint: fingerprintOf([command, ...args, redisConfiguration(settings), accessList(settings.users)]),
  }
}

/** Writes a service's configuration and says how to run it. */
export function controlPlaneService(cloud: Cloud, name: ControlPlaneService): ServiceSpecification {
  const configuration = JSON.stringify(controlPlaneConfigurations(cloud.installation, cloud.places)[name], null, 2)
  writeOwned(join(cloud.folder.folder('config'), `${name}.json`), configuration, cloud.account)
  const program = cloud.program('services', name, 'dist/main.js')
  const args = [...nodeFlags, program, '--config', join(cloud.paths.data, 'config', `${name}.json`)]
  return {
    name,
    command: cloud.node,
    args,
    workingDirectory: '/',
    runAs: idsOf(cloud.account),
    environment: { ...environment, ...memoryEnvironment },
    logFile: join(cloud.folder.folder('logs'), `${name}.log`),
    stopSignal: 'SIGTERM',
    // Longer than a service takes at the most (libs/service-kit/src/stop.ts): it ends what is under way itself.
    stopGraceMs: 15_000,
    fingerprint: fingerprintOf([cloud.node, ...args, configuration, codeOf(cloud.clone, name)]),
  }
}

/** Writes the agent's configuration where its host finds it, and gives its command and what that stands on. */
export function agentCommand(cloud: Cloud, host: HostRecord): { command: string[]; fingerprint: string } {
  const at = (root: string, ...path: string[]) => join(root, host.name, ...path)
  const runtime = join(cloud.paths.data, 'hosts')
  const configuration = JSON.stringify(agentConfiguration(cloud.installation, host, at(runtime, 'agent')), null, 2)
  const folder = cloud.folder.folder('hosts')
  mkdirSync(at(folder, 'agent'), { recursive: true, mode: 0o755 })
  writeFileSync(at(folder, 'agent.json'), configuration, { mode: 0o600 })
  copyFileSync(join(cloud.folder.folder('keys'), keyFiles.commandPublic), at(folder, 'agent', controlPlaneKeyFile))
  const program = cloud.program('services/compute-agent/dist/main.js')
  const command = [cloud.node, ...nodeFlags, program, '--config', at(runtime, 'agent.json')]
  return { command, fingerprint: fingerprintOf([...command, configuration, codeOf(cloud.clone, 'compute-agent')]) }
}

function writeOwned(file: string, text: string, owner: Account): void {
  writeFileSync(file, text, { mode: 0o600 })
  chownSync(file, owner.uid, owner.gid)
}

function idsOf({ uid, gid }: Account) {
  return { uid, gid }
}

/** One text for all that a service runs: the built files of the libraries and its own, and the modules from npm. */
function codeOf(clone: string, service: string): string {
  const folders = readdirSync(join(clone, 'libs')).map((library) => join(clone, 'libs', library, 'dist'))
  const files = [...folders, join(clone, 'services', service, 'dist')].flatMap(scriptsUnder)
  return fingerprintOf([...files, join(clone, 'package-lock.json')].map((file) => readFileSync(file, 'utf8')))
}

function scriptsUnder(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return entries
      .filter((entry) => entry.endsWith('.js'))
      .toSorted()
      .map((entry) => join(folder, entry))
  } catch {
    return []
  }
}

function fingerprintOf(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
