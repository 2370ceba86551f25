import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Database } from '@nubo/database'
import { TestDatabase } from '@nubo/database/testing'
import { startPostgres, waitFor } from '@nubo/deploy'
import { systemClock, type Clock } from '@nubo/kernel'
import { OldAnswers } from './old-answers.js'

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})
afterAll(() => records?.stop())

/** Time passes when the test says so. */
class Waiting {
  readonly due: (() => void)[] = []
  cancelled = 0
  readonly clock: Clock = {
    ...systemClock,
    after: (_delayMs, work) => {
      this.due.push(work)
      return { cancel: () => void (this.cancelled += 1) }
    },
  }
}

const keep = (name: string, count: number, hours: number) =>
  database.execute(
    `INSERT INTO idempotency_keys (scope, user_id, route, key_digest, request_digest, status, created_at)
     SELECT 'project:p', 'u', 'POST /things', $1 || n, 'r', 201, clock_timestamp() - $3 * interval '1 hour' FROM generate_series(1, $2::int) n`,
    [name, count, hours],
  )
const kept = async () => (await database.query<{ count: number }>('SELECT count(*) FROM idempotency_keys'))[0]!.count

it('removes all answers that are a day old, in as many rounds as it takes, and goes on looking until it is stopped', async () => {
  await keep('old', 2_500, 24.1)
  await keep('young', 3, 23.9)
  const errors: unknown[] = []
  const time = new Waiting()
  const oldAnswers = new OldAnswers({ database, clock: time.clock, onError: (error) => void errors.push(error) })
  oldAnswers.start()
  expect(await kept()).toBe(2_503)
  time.due.shift()!()
  await waitFor('the next look is planned', () => time.due.length === 1, { timeoutMs: 60_000, everyMs: 10 })
  expect([await kept(), errors]).toEqual([3, []])
  await oldAnswers.stop()
  expect(time.cancelled).toBeGreaterThan(0)
})

it('tells of what went wrong and tries again', async () => {
  const errors: unknown[] = []
  const time = new Waiting()
  const broken = { execute: () => Promise.reject(new Error('away')) } as unknown as Database
  const oldAnswers = new OldAnswers({ database: broken, clock: time.clock, onError: (error) => void errors.push(error) })
  oldAnswers.start()
  time.due.shift()!()
  await waitFor('the next look is planned', () => time.due.length === 1, { timeoutMs: 60_000, everyMs: 10 })
  expect(errors).toEqual([new Error('away')])
  await oldAnswers.stop()
})
