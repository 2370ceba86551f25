import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { startPostgres } from '@nubo/deploy'
import type { Database } from '../connection.js'
import { TestDatabase } from '../testing/test-database.js'
import { findOverdue, watchClock } from './deadlines.js'

const unwatchedMs = 60_000
const minute = `interval '1 minute'`

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})

afterAll(() => records?.stop())

beforeEach(async () => {
  await database.execute('TRUNCATE operations CASCADE')
  await watchClock(database, unwatchedMs)
})

/** A live operation that began and is to end so many minutes from now. */
async function operation(began: number, deadline: number): Promise<void> {
  await database.execute(
    `WITH o AS (INSERT INTO operations (id, kind, project_id, request_id, state, started_at, deadline_at)
       VALUES (gen_random_uuid(), 'server.any', 'p', 'r', 'running', clock_timestamp() + $1 * ${minute}, clock_timestamp() + $2 * ${minute})
       RETURNING id)
     INSERT INTO operation_steps (id, operation_id, name, queue) SELECT gen_random_uuid(), id, 'any', 'any' FROM o`,
    [began, deadline],
  )
}

/** The last mark was left so many minutes ago. */
const markedBefore = (minutes: number) =>
  database.execute(`UPDATE deadline_watch SET watched_at = clock_timestamp() - $1 * ${minute}`, [minutes])

async function minutesLeft(): Promise<number> {
  const [row] = await database.query<{ left: number }>(
    `SELECT round(extract(epoch FROM deadline_at - clock_timestamp()) / 60)::int AS left FROM operations`,
  )
  return row!.left
}

const overdue = async () => (await findOverdue(database, 10, unwatchedMs)).length

it('holds a deadline that passed against an operation while somebody watches', async () => {
  await operation(-5, -1)
  expect(await overdue()).toBe(1)
})

it('holds none against it while nobody watched, and gives it the time that it had when somebody does', async () => {
  await operation(-15, -5)
  await markedBefore(10)
  expect(await overdue()).toBe(0)
  await watchClock(database, unwatchedMs)
  expect(await minutesLeft()).toBe(5)
  expect(await overdue()).toBe(0)
})

it('moves nothing for a moment between two marks', async () => {
  await operation(-5, 5)
  await markedBefore(0.5)
  await watchClock(database, unwatchedMs)
  expect(await minutesLeft()).toBe(5)
})

it('gives an operation that began meanwhile no more than it has lost', async () => {
  await operation(-3, 2)
  await markedBefore(10)
  await watchClock(database, unwatchedMs)
  expect(await minutesLeft()).toBe(5)
})

it('moves deadlines once, however many come back at once', async () => {
  await operation(-15, -5)
  await markedBefore(10)
  await Promise.all([watchClock(database, unwatchedMs), watchClock(database, unwatchedMs)])
  expect(await minutesLeft()).toBe(5)
})
