import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Database } from '@nubo/database'
import { addHost, TestDatabase } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { systemClock, type HostId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { NetworkPlans } from './network-plans.js'

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  // Hosts can be heard, and were heard just now.
  await database.execute(`UPDATE hearing SET marked_at = clock_timestamp() + interval '1 hour', heard_ms = 1`)
})
afterAll(() => records?.stop())

it('tells all hosts that a change concerns, however many they are, without waiting for the next round', async () => {
  const hosts: HostId[] = []
  for (let number = 0; number < 205; number++) hosts.push(await addHost(database, `host-${number}`))
  await database.execute(`INSERT INTO network_changes (subject, subject_id) SELECT 'host', id FROM hosts`)
  const told: string[] = []
  const queue = { depth: async () => 0, cast: async (name: string) => void told.push(name) } as unknown as Queue
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const plans = new NetworkPlans({ database, queue, clock: systemClock, intervalMs: 60_000, silenceMs: 30_000, onError })
  await plans.settle()
  await plans.stop()
  expect(errors).toEqual([])
  expect(told.toSorted()).toEqual(hosts.map((hostId) => `compute-${hostId}`).toSorted())
})

it('tells a host that takes nothing of what it is told no more, and the others all the same', async () => {
  const [silent, other] = [await addHost(database, 'silent'), await addHost(database, 'other')]
  const waiting = new Map<string, number>()
  const queue = {
    depth: async (name: string) => waiting.get(name) ?? 0,
    cast: async (name: string) => void waiting.set(name, (waiting.get(name) ?? 0) + (name === `compute-${silent}` ? 1 : 0)),
  } as unknown as Queue
  const onError = (error: unknown) => {
    throw error
  }
  const plans = new NetworkPlans({ database, queue, clock: systemClock, intervalMs: 60_000, silenceMs: 30_000, onError })
  for (let change = 0; change < 600; change++) {
    await database.execute(`INSERT INTO network_changes (subject, subject_id) VALUES ('host', $1), ('host', $2)`, [silent, other])
    await plans.settle()
  }
  await plans.stop()
  expect(waiting.get(`compute-${silent}`)).toBe(500)
  expect(waiting.has(`compute-${other}`)).toBe(true)
})
