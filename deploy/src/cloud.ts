import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../bootstrap/refusal.mjs'
import { addresses, type Places } from './configuration.js'
import { clusterVersion, findPostgresPrograms, type PostgresSettings } from './data/postgres-program.js'
import { programRoots } from './data/program-roots.js'
import { findRedisProgram, type RedisSettings } from './data/redis-program.js'
import { hostRules, redisRoles, roleRules } from './data/redis-users.js'
import { KvmHost } from './host/host.js'
import { controlPlaneAddress, hostAddress } from './host/network.js'
import type { HostRecord, Installation } from './installation/installation.js'
import { dataDirectory, DataFolder, repositoryDirectory } from './installation/place.js'
import { type Account, findAccount, serviceUser } from './process/account.js'
import { RuntimePaths } from './runtime-paths.js'
import { SupervisorHandle } from './supervisor/start.js'

/** One installation on this machine: what it is, and where everything of it lies. */
export class Cloud {
  readonly paths: RuntimePaths

  constructor(
    readonly installation: Installation,
    readonly folder = new DataFolder(),
    readonly clone = repositoryDirectory,
  ) {
    this.paths = new RuntimePaths(installation.id, { clone, data: folder.path })
  }

  /** By the short path: its socket's path must be short too. It is there while the paths are mounted. */
  get supervisor(): SupervisorHandle {
    return new SupervisorHandle(join(this.paths.data, 'run'), this.folder.folder('logs'))
  }

  get addresses() {
    return addresses(this.installation)
  }

  get places(): Places {
    return { postgres: this.paths.postgres, data: this.paths.data }
  }

  /** Whom the control plane runs as. */
  get account(): Account {
    const account = findAccount(serviceUser)
    if (!account) throw new Refusal(`the system user ${serviceUser} is gone: run \`npm run up\`, which adds it.`)
    return account
  }

  /** The Node that runs us, by a path that the service user and the hosts can follow: a toolchain lies in the data folder. */
  get node(): string {
    const { execPath } = process
    const toolchain = [this.folder.path, dataDirectory]
      .map((folder) => join(folder, 'toolchain/'))
      .find((at) => execPath.startsWith(at))
    return toolchain ? join(this.paths.data, 'toolchain', execPath.slice(toolchain.length)) : execPath
  }

  /** A program of ours, by the path that it is run under. */
  program(...path: string[]): string {
    return join(this.paths.code, ...path)
  }

  /** A folder of the data folder that belongs to the service user, made where it is missing. */
  ownFolder(name: Parameters<DataFolder['folder']>[0], mode = 0o700): string {
    const path = this.folder.folder(name)
    mkdirSync(path, { recursive: true, mode })
    chownSync(path, this.account.uid, this.account.gid)
    return path
  }

  get postgres(): PostgresSettings {
    const madeBy = clusterVersion(join(this.folder.folder('postgres'), 'cluster'))
    const programs = findPostgresPrograms(programRoots, madeBy)
    if (!programs)
      throw new Refusal(`PostgreSQL ${madeBy ?? ''} is gone, and its data are here: install postgresql-${madeBy ?? 15}.`)
    return {
      programs,
      dataDirectory: join(this.paths.data, 'postgres/cluster'),
      socketDirectory: this.paths.postgres,
      port: 5432,
      user: 'nubo',
      password: this.installation.passwords.postgres,
      durable: true,
      sharedBuffersMiB: 64,
      maxConnections: 60,
    }
  }

  get redis(): RedisSettings {
    const program = findRedisProgram(programRoots)
    if (!program) throw new Refusal('Redis’s program is gone: run `npm run up`, which brings it.')
    const { installation } = this
    return {
      program,
      directory: join(this.paths.data, 'redis'),
      addresses: ['127.0.0.1', controlPlaneAddress(installation.underlay)],
      port: installation.ports.redis,
      users: [
        ...redisRoles.map((role) => ({ name: role, password: installation.redisPasswords[role], rules: roleRules[role] })),
        ...installation.hosts.map((host) => ({ name: host.name, password: host.redisPassword, rules: hostRules(host.id) })),
      ],
      persistent: true,
    }
  }

  /** The hosts, each with its share of the machine as the limit of its control group. */
  get hosts(): KvmHost[] {
    return this.installation.hosts.map((record) => this.host(record))
  }

  private host(record: HostRecord): KvmHost {
    const { installation, folder, paths } = this
    return new KvmHost({
      name: record.name,
      uuid: record.id,
      directory: join(folder.folder('hosts'), record.name),
      logDirectory: join(folder.folder('logs'), record.name),
      runtimeDirectory: join(paths.data, 'hosts', record.name),
      clone: this.clone,
      codeDirectory: paths.code,
      // A machine with a Node that is new enough has no toolchain of ours.
      readOnly: existsSync(folder.folder('toolchain'))
        ? [{ source: folder.folder('toolchain'), target: join(paths.data, 'toolchain') }]
        : [],
      underlay: installation.underlay,
      outside: installation.outside,
      address: hostAddress(installation.underlay, record.number),
      device: `nv-${installation.id}-${record.number}`,
      outsideDevice: `nw-${installation.id}-${record.number}`,
      cgroup: join(this.cgroup, record.name),
      memoryMiB: installation.share.memoryMiB,
    })
  }

  get cgroup(): string {
    return `nubo-${this.installation.id}`
  }
}
