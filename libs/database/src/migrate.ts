import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudError } from '@nubo/kernel'
import pg from 'pg'
import type { DatabaseOptions } from './connection.js'

/** The advisory lock that Prisma's own migration engine takes, so that neither runs beside the other. */
const migrationLock = 72_707_369

const bookkeeping = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL,
  logs TEXT, rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

/**
 * Applies the migrations of `directory` that the database does not have yet, in the order of their names, each in one transaction.
 * Keeps Prisma's `_prisma_migrations` table, so that `prisma migrate status` agrees where its engine can be had.
 * Returns the names of those applied now. Throws `Conflict` if an applied migration was changed since.
 */
export async function migrate(options: Omit<DatabaseOptions, 'poolSize'>, directory: string): Promise<string[]> {
  const client = new pg.Client(options)
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock])
    await client.query(bookkeeping)
    return await applyMissing(client, directory)
  } finally {
    await client.end()
  }
}

async function applyMissing(client: pg.Client, directory: string): Promise<string[]> {
  const applied = new Map<string, string>()
  const rows = await client.query(
    'SELECT migration_name, checksum FROM "_prisma_migrations" WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  )
  for (const row of rows.rows) applied.set(row.migration_name, row.checksum)
  const now: string[] = []
  for (const migration of await readMigrations(directory)) {
    const checksum = applied.get(migration.name)
    if (checksum === undefined) {
      await apply(client, migration)
      now.push(migration.name)
    } else if (checksum !== migration.checksum) {
      throw new CloudError('Conflict', `Migration ${migration.name} was changed after it was applied. Add a new one instead.`)
    }
  }
  return now
}

interface Migration {
  name: string
  sql: string
  checksum: string
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.toSorted().map(async (name) => {
      const sql = await readFile(join(directory, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(migration.sql)
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES (gen_random_uuid()::text, $1, $2, clock_timestamp(), 1)`,
      [migration.checksum, migration.name],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw new CloudError('Bug', `Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error })
  }
}
