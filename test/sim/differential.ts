import { join } from 'node:path'
import { Database, migrate } from '@nubo/database'
import { startPostgres } from '@nubo/deploy'
import { repository } from '../support/repository.js'
import { compare } from './serial-order.js'

const poolSize = 8

/**
 * Races the transactions of so many scenes on a PostgreSQL of its own, and tells of each that equals no order.
 * @returns how many those were.
 */
export async function raceScenes(from: number, rounds: number, onBroken: (told: string) => void): Promise<number> {
  await using postgres = await withDatabase()
  let broken = 0
  for (let round = from; round < from + rounds; round++) {
    const { order, told } = await compare(postgres.database, round)
    if (order) continue
    broken++
    onBroken(`round ${round} equals no order: ${told}`)
  }
  return broken
}

async function withDatabase(): Promise<AsyncDisposable & { database: Database }> {
  const postgres = await startPostgres()
  const address = await postgres.createDatabase()
  await migrate(address, join(repository, 'prisma/migrations'))
  const database = Database.connect({ ...address, poolSize })
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await database.close()
      await postgres.stop()
    },
  }
}
