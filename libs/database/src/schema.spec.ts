import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPostgres } from '@nubo/deploy'
import { Database } from './connection.js'
import { migrate } from './migrate.js'

const prisma = join(import.meta.dirname, '../../../prisma')

let postgres: Awaited<ReturnType<typeof startPostgres>>
let database: Database

beforeAll(async () => {
  postgres = await startPostgres()
  const address = await postgres.createDatabase()
  expect(await migrate(address, join(prisma, 'migrations'))).not.toHaveLength(0)
  expect(await migrate(address, join(prisma, 'migrations'))).toHaveLength(0)
  database = Database.connect({ ...address, poolSize: 2 })
})

afterAll(async () => {
  await database.close()
  await postgres.stop()
})

const types: Record<string, string> = {
  String: 'text',
  Int: 'int4',
  BigInt: 'int8',
  Boolean: 'bool',
  DateTime: 'timestamptz',
  Json: 'jsonb',
  Float: 'float8',
}

/** `table.column type [not null]`, one for every scalar field of schema.prisma. */
function columnsOfSchema(): string[] {
  const schema = readFileSync(join(prisma, 'schema.prisma'), 'utf8')
  const columns: string[] = []
  for (const [, body] of schema.matchAll(/^model \w+ \{\n([\s\S]*?)\n\}/gm)) {
    const table = /@@map\("(\w+)"\)/.exec(body!)![1]
    for (const [, name, type, list, optional, rest] of body!.matchAll(/^ {2}(\w+) +(\w+)(\[\])?(\?)?(.*)$/gm)) {
      if (!(type! in types) || rest!.includes('@relation')) continue
      const column = /@map\("(\w+)"\)/.exec(rest!)?.[1] ?? name
      const base = rest!.includes('@db.Uuid') ? 'uuid' : rest!.includes('@db.Inet') ? 'inet' : types[type!]
      columns.push(`${table}.${column} ${list ? `_${base}` : base}${list || optional ? '' : ' not null'}`)
    }
  }
  return columns.toSorted()
}

it('is the same in schema.prisma and in the migrations', async () => {
  const rows = await database.query<{ column: string }>(
    `SELECT table_name || '.' || column_name || ' ' || udt_name || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS column
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`,
  )
  expect(rows.map((row) => row.column).toSorted()).toEqual(columnsOfSchema())
})

it('refuses a migration that was changed after it was applied', async () => {
  await database.execute(`UPDATE _prisma_migrations SET checksum = 'other'`)
  await expect(migrate(postgresAddress(), join(prisma, 'migrations'))).rejects.toThrow('was changed after it was applied')
})

function postgresAddress() {
  return { ...postgres.address, database: 'test_1' }
}
