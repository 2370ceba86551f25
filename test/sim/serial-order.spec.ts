import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Database } from '@nubo/database'
import { TestDatabase } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { compare } from './serial-order.js'

let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres(), { poolSize: 8 })
  ;({ database } = records)
})
afterAll(() => records?.stop())

const roundsAPart = 50
const parts = Array.from({ length: 4 }, (_, part) => 1 + part * roundsAPart)

it.each(parts)(
  `what races on PostgreSQL comes to what some order of it would: ${roundsAPart} rounds from %i on`,
  async (from) => {
    for (let round = from; round < from + roundsAPart; round++) {
      const { order, told } = await compare(database, round)
      if (!order) throw new Error(`round ${round} equals no order: ${told}`)
      expect(order.length).toBeGreaterThan(3)
    }
  },
)

it('and a check of room that is not made on the row itself is found', async () => {
  const rule = `AND h.used_vcpus + v.vcpus <= h.capacity_vcpus
      AND h.used_memory_mib + v.memory_mib + h.overhead_mib <= h.capacity_memory_mib`
  const inAQuery = 'AND (SELECT b.used_vcpus FROM hosts b WHERE b.id = $2) + v.vcpus <= h.capacity_vcpus'
  let told: string | undefined
  for (let round = 1; round <= 2_500 && !told; round++) {
    const comparison = await compare(database, round, (text) => text.replace(rule, () => inAQuery))
    if (!comparison.order) told = comparison.told
  }
  expect(told).toContain('place')
})
