import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { Database, migrate } from '@nubo/database'
import { startPostgres } from '@nubo/deploy'
import { repository } from '../support/repository.js'
import { compare } from './serial-order.js'

let postgres: Awaited<ReturnType<typeof startPostgres>>
let database: Database

beforeAll(async () => {
  postgres = await startPostgres()
  const address = await postgres.createDatabase()
  await migrate(address, join(repository, 'prisma/migrations'))
  database = Database.connect({ ...address, poolSize: 8 })
}, 60_000)
afterAll(async () => {
  await database?.close()
  await postgres?.stop()
})

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
