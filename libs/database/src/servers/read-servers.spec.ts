import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type ProjectId } from '@nubo/kernel'
import { TestDatabase } from '../testing/test-database.js'
import { listServerBriefs, listServers, type ServerFilter } from './read-servers.js'

let records: TestDatabase

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres(), { poolSize: 1 })
})
afterAll(() => records?.stop())

async function prepared(): Promise<number> {
  const [row] = await records.database.queryOnce<{ count: number }>('SELECT count(*) FROM pg_prepared_statements')
  return row!.count
}

// A tenant who asked for ever other orders and filters filled the memory of the api, and of each of its connections.
it('the plain list of servers alone is kept prepared, and none of the many that clients can think of', async () => {
  const { database } = records
  const plain: ServerFilter = { projectId: newId<ProjectId>(systemRandom), deleted: false }
  for (const list of [listServers, listServerBriefs]) await list(database, { ...plain, tags: {} }, { sort: [], limit: 10 })
  const before = await prepared()
  expect(before).toBeGreaterThanOrEqual(2)
  const keys = ['uuid', 'host', 'display_name', 'created_at']
  for (const first of keys) {
    for (const second of keys) {
      const sort = [first, second].map((key) => ({ key, descending: true }))
      await listServers(database, plain, { sort, limit: 10 })
    }
  }
  const filters: Partial<ServerFilter>[] = [{ name: 'x' }, { locked: true }, { tags: { all: ['x'] } }, { launchIndex: 1 }]
  for (const filter of filters) await listServerBriefs(database, { ...plain, ...filter }, { sort: [], limit: 10 })
  expect(await prepared()).toBe(before)
})
