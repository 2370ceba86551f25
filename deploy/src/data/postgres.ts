import { join } from 'node:path'
import { systemClock, systemRandom } from '@nubo/kernel'
import { Client } from 'pg'
import { unprivilegedAccount } from '../process/account.js'
import { PrivateProcess } from '../process/private-program.js'
import type { WhyNot } from '../process/wait.js'
import {
  clusterVersion,
  findPostgresPrograms,
  initialisePostgres,
  postgresCommand,
  type PostgresSettings,
} from './postgres-program.js'
import { programRoots } from './program-roots.js'
import { TemporaryDirectory } from './temporary-directory.js'

/** How to reach one database, in the shape of every service's configuration. */
export interface DatabaseAddress {
  /** A folder with the unix socket, or a host. */
  host: string
  port: number
  database: string
  user: string
  password: string
}

/** Waits until the server answers, or says why it does not: `whyNot` gives a reason to give up. */
export async function waitForPostgres(address: DatabaseAddress, whyNot: WhyNot, timeoutMs = 60_000) {
  const end = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const client = new Client({ ...address, connectionTimeoutMillis: 5000 })
    client.on('error', () => {})
    try {
      await client.connect()
      return
    } catch (error) {
      const reason = await whyNot()
      if (reason !== undefined) throw new Error(`PostgreSQL did not start: ${reason}`, { cause: error })
      if (systemClock.monotonicMs() > end)
        throw new Error(`PostgreSQL does not answer: ${(error as Error).message}`, { cause: error })
    } finally {
      await client.end().catch(() => {})
    }
    await systemClock.sleep(30)
  }
}

export interface PostgresOptions {
  /** Where to keep it; a new temporary folder, removed by `stop`, when absent. */
  directory?: string
  /** True keeps to the disk what was committed even through a power cut; tests do without. */
  durable?: boolean
  maxConnections?: number
}

/** A PostgreSQL of one's own: its own folder, its own unix socket, no TCP port, gone when its owner is. */
export class PrivatePostgres implements AsyncDisposable {
  private databases = 0

  private constructor(
    private readonly settings: PostgresSettings,
    private readonly directory: TemporaryDirectory,
    private server: PrivateProcess | undefined,
  ) {}

  /**
   * Makes and starts one, ready to be connected to. Under root it runs as an unprivileged user.
   * Fails where the machine has no PostgreSQL of version 14 or newer.
   */
  static async start(options: PostgresOptions = {}): Promise<PrivatePostgres> {
    const programs = findPostgresPrograms(programRoots, clusterVersion(join(options.directory ?? '', 'data')))
    if (!programs) throw new Error('no PostgreSQL 14 or newer on this machine: `npm test` brings one')
    const runAs = unprivilegedAccount()
    const directory = new TemporaryDirectory('nubo-pg-', options.directory, runAs)
    const settings: PostgresSettings = {
      programs,
      dataDirectory: join(directory.path, 'data'),
      socketDirectory: join(directory.path, 'socket'),
      port: 5432,
      user: 'nubo',
      password: systemRandom.bytes(18).toString('base64url'),
      durable: options.durable ?? false,
      sharedBuffersMiB: 32,
      maxConnections: options.maxConnections ?? 100,
    }
    const postgres = new PrivatePostgres(settings, directory, undefined)
    try {
      await initialisePostgres(settings, runAs)
      await postgres.start()
    } catch (error) {
      await postgres.stop()
      throw error
    }
    return postgres
  }

  /** The database `postgres`, as the owner of everything. */
  get address(): DatabaseAddress {
    const { socketDirectory, port, user, password } = this.settings
    return { host: socketDirectory, port, database: 'postgres', user, password }
  }

  get pid(): number | undefined {
    return this.server?.pid
  }

  get logFile(): string {
    return join(this.directory.path, 'postgres.log')
  }

  /** Starts it again on the same data after `halt` or `kill`. */
  async start(): Promise<void> {
    const { command, args } = postgresCommand(this.settings)
    const server = PrivateProcess.start({
      command,
      args,
      cwd: this.settings.dataDirectory,
      logFile: this.logFile,
      runAs: unprivilegedAccount(),
      signalWhenOrphaned: 'SIGINT',
    })
    this.server = server
    await waitForPostgres(this.address, () => (server.hasEnded ? server.lastWords() : undefined))
  }

  /** A new, empty database, with the address to reach it. */
  async createDatabase(name = `test_${++this.databases}`): Promise<DatabaseAddress> {
    const client = new Client(this.address)
    await client.connect()
    try {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
    } finally {
      await client.end()
    }
    return { ...this.address, database: name }
  }

  /** Ends it in order and keeps its data. */
  halt(): Promise<void> {
    return this.end('SIGINT')
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    // The postmaster alone: its children notice and end, as after a real crash.
    return this.end('SIGKILL')
  }

  /** Ends it; removes its folder, unless the caller had named one. */
  async stop(): Promise<void> {
    await this.halt()
    this.directory.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.server?.signal(signal)
    await this.server?.ended
    this.server = undefined
  }
}

/** See `PrivatePostgres.start`. */
export const startPostgres = (options?: PostgresOptions) => PrivatePostgres.start(options)
