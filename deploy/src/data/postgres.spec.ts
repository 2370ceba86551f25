import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Client } from 'pg'
import { isAlive, identify } from '../process/identity.js'
import { type DatabaseAddress, type PrivatePostgres, startPostgres } from './postgres.js'
import { findPostgresPrograms } from './postgres-program.js'

let postgres: PrivatePostgres | undefined
afterEach(async () => {
  await postgres?.stop()
  postgres = undefined
})

async function query(address: DatabaseAddress, sql: string) {
  const client = new Client(address)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

describe('a private PostgreSQL', () => {
  it('answers on its socket alone, to its password alone, and leaves nothing behind', async () => {
    postgres = await startPostgres()
    const address = await postgres.createDatabase()
    expect(await query(address, 'SELECT current_database() AS name')).toEqual([{ name: address.database }])
    expect(await query(address, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }])
    await expect(query({ ...address, password: 'wrong' }, 'SELECT 1')).rejects.toThrow(/password authentication failed/)

    const server = identify(postgres.pid!)!
    if (process.getuid!() === 0) expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0)
    await postgres.stop()
    expect(isAlive(server)).toBe(false)
    expect(existsSync(dirname(address.host))).toBe(false)
  })

  it('keeps its databases apart', async () => {
    postgres = await startPostgres()
    const [one, other] = [await postgres.createDatabase(), await postgres.createDatabase()]
    await query(one, 'CREATE TABLE things (id int)')
    await expect(query(other, 'SELECT * FROM things')).rejects.toThrow(/does not exist/)
  })

  it('comes back with what was committed after a crash', async () => {
    postgres = await startPostgres({ durable: true })
    const address = await postgres.createDatabase()
    await query(address, 'CREATE TABLE things (id int); INSERT INTO things VALUES (7)')
    await postgres.kill()
    await expect(query(address, 'SELECT 1')).rejects.toThrow()
    await postgres.start()
    expect(await query(address, 'SELECT id FROM things')).toEqual([{ id: 7 }])
  })

  it('keeps a folder that the caller named', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nubo-given-'))
    postgres = await startPostgres({ directory })
    await postgres.stop()
    expect(existsSync(join(directory, 'data/PG_VERSION'))).toBe(true)
    rmSync(directory, { recursive: true })
  })
})

describe('findPostgresPrograms', () => {
  it('finds nothing where there is nothing', () => {
    expect(findPostgresPrograms(['/nonexistent'])).toBeUndefined()
  })

  it('takes the newest that is new enough, or the one that made the data', () => {
    const root = mkdtempSync(join(tmpdir(), 'nubo-programs-'))
    const bin = (version: number) => join(root, `usr/lib/postgresql/${version}/bin`)
    for (const version of [9, 14, 16]) {
      mkdirSync(bin(version), { recursive: true })
      writeFileSync(join(bin(version), 'postgres'), '')
    }
    expect(findPostgresPrograms([root])).toBe(bin(16))
    expect(findPostgresPrograms([root], 14)).toBe(bin(14))
    expect(findPostgresPrograms([root], 15)).toBeUndefined()
    rmSync(root, { recursive: true })
  })
})
