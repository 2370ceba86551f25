import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { findLogin, type Database } from '@nubo/database'
import { TestDatabase } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { CloudError, systemClock, type Clock } from '@nubo/kernel'
import { delayMsOf, LoginThrottle } from './login-throttle.js'

let records: TestDatabase
let database: Database

/** Sleeps that end when the test says so. */
const sleeping: { delayMs: number; wake: () => void }[] = []
const clock: Clock = {
  ...systemClock,
  sleep: (delayMs) => new Promise((resolve) => sleeping.push({ delayMs, wake: resolve })),
}
let throttle: LoginThrottle

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})
afterAll(() => records?.stop())
beforeEach(async () => {
  sleeping.length = 0
  await database.execute('DELETE FROM login_failures')
  throttle = new LoginThrottle(database, clock)
})

const wrong = async () => {
  throw new CloudError('Unauthenticated', 'no')
}
const attempt = async (nobody: string, login: () => Promise<unknown> = wrong) =>
  throttle.run(await findLogin(database, { id: nobody }, nobody), login).then(
    () => 'in',
    (error: CloudError) => error.kind,
  )
const untilSleeping = async (count: number) => {
  while (sleeping.length < count) await new Promise((resolve) => setImmediate(resolve))
}
const failFreely = async (subject: string) => {
  for (let failure = 0; failure < 5; failure++) expect(await attempt(subject)).toBe('Unauthenticated')
}

it('makes delays grow up to a bound', () => {
  expect([1, 5, 6, 7, 8, 9, 12, 13, 50].map(delayMsOf)).toEqual([0, 0, 500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000])
})

it('lets a few mistakes pass, then keeps right and wrong waiting alike', async () => {
  await failFreely('a')
  expect(sleeping).toEqual([])
  let heard = 0
  const guesses = [attempt('a'), attempt('a', async () => heard++)]
  await untilSleeping(2)
  expect(sleeping.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b)).toEqual([500, 1_000])
  expect(heard).toBe(0)
  for (const { wake } of sleeping) wake()
  expect(await Promise.all(guesses)).toEqual(['Unauthenticated', 'in'])
})

it('forgets failures with the first right password', async () => {
  await failFreely('a')
  const right = attempt('a', async () => 'welcome')
  await untilSleeping(1)
  sleeping[0]!.wake()
  expect(await right).toBe('in')
  expect(await attempt('a')).toBe('Unauthenticated')
  expect(sleeping).toHaveLength(1)
})

it('keeps nobody else waiting', async () => {
  await failFreely('a')
  expect(await attempt('b', async () => 'welcome')).toBe('in')
  expect(sleeping).toEqual([])
})

it('refuses a flood on one subject unheard', async () => {
  await failFreely('a')
  let refused = 0
  let heard = 0
  const flood = Array.from({ length: 30 }, () => attempt('a', async () => heard++).then(() => refused++))
  while (refused < 20) await new Promise((resolve) => setImmediate(resolve))
  expect([sleeping.length, heard]).toEqual([10, 0])
  for (const { wake } of sleeping) wake()
  await Promise.all(flood)
  expect(heard).toBe(10)
})

it('counts what is refused for a password only', async () => {
  for (let failure = 0; failure < 7; failure++)
    expect(await attempt('a', () => Promise.reject(new CloudError('Unavailable', 'busy')))).toBe('Unavailable')
  expect(await attempt('a', async () => 'welcome')).toBe('in')
  expect(sleeping).toEqual([])
})

it('counts failures that lie within the window only', async () => {
  await failFreely('a')
  await database.execute(`UPDATE login_failures SET last_failed_at = now() - interval '16 minutes'`)
  expect(await attempt('a')).toBe('Unauthenticated')
  expect(sleeping).toEqual([])
  const rows = await database.query<{ failures: number }>('SELECT failures FROM login_failures')
  expect(rows).toEqual([{ failures: 1 }])
})
