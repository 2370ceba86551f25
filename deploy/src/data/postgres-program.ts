import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from '../process/account.js'
import { runOrThrow } from '../process/run.js'

/** The oldest PostgreSQL that the schema and its statements are written for. */
export const oldestPostgres = 14

/**
 * The folder with PostgreSQL's programs: the newest of `/usr/lib/postgresql/<version>/bin` (Debian's layout) under one of
 * the roots, not older than `oldestPostgres`; or that of the one version which can read a cluster made before. Undefined
 * where there is none. Only the programs are used, never a service.
 */
export function findPostgresPrograms(roots: readonly string[], madeBy?: number): string | undefined {
  for (const root of roots) {
    const base = join(root, 'usr/lib/postgresql')
    const versions = existsSync(base) ? readdirSync(base).map(Number) : []
    const fits = (version: number) => (madeBy === undefined ? version >= oldestPostgres : version === madeBy)
    const usable = versions.filter((version) => fits(version) && existsSync(join(base, `${version}/bin/postgres`)))
    if (usable.length) return join(base, `${Math.max(...usable)}/bin`)
  }
  return undefined
}

/** The version that made the cluster in the folder, or undefined where there is none. */
export function clusterVersion(dataDirectory: string): number | undefined {
  const file = join(dataDirectory, 'PG_VERSION')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

export interface PostgresSettings {
  /** Folder of PostgreSQL's programs, see `findPostgresPrograms`. */
  programs: string
  /** The cluster's folder; made by `initialisePostgres`. */
  dataDirectory: string
  /** Where the unix socket lies. Its path may be no longer than 107 bytes. */
  socketDirectory: string
  port: number
  user: string
  password: string
  /** False only for data that may be lost with the machine: tests. */
  durable: boolean
  sharedBuffersMiB: number
  maxConnections: number
}

/** True when `initialisePostgres` has run to its end here. */
export function isInitialised(settings: PostgresSettings): boolean {
  return existsSync(join(settings.dataDirectory, 'nubo-initialised'))
}

/**
 * Makes the cluster where there is none, and writes its configuration anew each time. A first run that was cut off leaves
 * no mark, so the next one begins again.
 */
export async function initialisePostgres(settings: PostgresSettings, runAs: Account | undefined): Promise<void> {
  mkdirSync(settings.socketDirectory, { recursive: true, mode: 0o700 })
  if (runAs) chownSync(settings.socketDirectory, runAs.uid, runAs.gid)
  if (!isInitialised(settings)) await makeCluster(settings, runAs)
  const owned = (name: string, text: string) => {
    const path = join(settings.dataDirectory, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (runAs) chownSync(path, runAs.uid, runAs.gid)
  }
  owned('postgresql.conf', postgresConfiguration(settings))
  owned('pg_hba.conf', 'local all all scram-sha-256\n')
  owned('nubo-initialised', '')
}

async function makeCluster(settings: PostgresSettings, runAs: Account | undefined): Promise<void> {
  rmSync(settings.dataDirectory, { recursive: true, force: true })
  mkdirSync(settings.dataDirectory, { recursive: true, mode: 0o700 })
  if (runAs) chownSync(settings.dataDirectory, runAs.uid, runAs.gid)
  // In a file that only its owner reads: a command line can be read by everyone on the machine.
  const passwordFile = join(settings.socketDirectory, 'password')
  writeFileSync(passwordFile, `${settings.password}\n`, { mode: 0o600 })
  if (runAs) chownSync(passwordFile, runAs.uid, runAs.gid)
  const args = [
    `--pgdata=${settings.dataDirectory}`,
    `--username=${settings.user}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    ...(settings.durable ? [] : ['--no-sync']),
  ]
  try {
    await runOrThrow(join(settings.programs, 'initdb'), args, {
      cwd: settings.dataDirectory,
      env: { LC_ALL: 'C.UTF-8' },
      uid: runAs?.uid,
      gid: runAs?.gid,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

/** The program and its arguments; SIGINT ends it at once but in order ('fast shutdown'). */
export function postgresCommand(settings: PostgresSettings): { command: string; args: string[] } {
  return { command: join(settings.programs, 'postgres'), args: ['-D', settings.dataDirectory] }
}

/** Small, silent about values, reachable through the unix socket alone. */
export function postgresConfiguration(settings: PostgresSettings): string {
  const lines = [
    "listen_addresses = ''",
    `port = ${settings.port}`,
    `unix_socket_directories = '${settings.socketDirectory}'`,
    `max_connections = ${settings.maxConnections}`,
    `shared_buffers = ${settings.sharedBuffersMiB}MB`,
    'password_encryption = scram-sha-256',
    // A chroot may have no /dev/shm; without parallel queries nothing of size goes there anyway.
    'dynamic_shared_memory_type = mmap',
    'max_parallel_workers_per_gather = 0',
    'max_worker_processes = 2',
    'jit = off',
    // What is committed is written by who commits it; these two then look for nothing five times a second.
    'wal_writer_delay = 5s',
    'bgwriter_delay = 5s',
    'wal_level = minimal',
    'max_wal_senders = 0',
    'min_wal_size = 32MB',
    'max_wal_size = 256MB',
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    // Statements carry password hashes and tenants' data: errors are logged without them.
    'log_min_error_statement = panic',
    "log_line_prefix = '%m [%p] '",
    "default_text_search_config = 'pg_catalog.simple'",
    ...(settings.durable ? [] : ['fsync = off', 'synchronous_commit = off', 'full_page_writes = off']),
  ]
  return `# Written by Nubo at every start.\n${lines.join('\n')}\n`
}
