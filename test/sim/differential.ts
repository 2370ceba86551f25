import { TestDatabase } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { compare } from './serial-order.js'

const poolSize = 8

/**
 * Races the transactions of so many scenes on a PostgreSQL of its own, and tells of each that equals no order.
 * @returns how many those were.
 */
export async function raceScenes(from: number, rounds: number, onBroken: (told: string) => void): Promise<number> {
  await using records = await TestDatabase.on(await startPostgres(), { poolSize })
  let broken = 0
  for (let round = from; round < from + rounds; round++) {
    const { order, told } = await compare(records.database, round)
    if (order) continue
    broken++
    onBroken(`round ${round} equals no order: ${told}`)
  }
  return broken
}
