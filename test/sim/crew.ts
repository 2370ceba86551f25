import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { repository } from '../support/repository.js'
import type { HistoryResult } from './history.js'
import { RuleNotMet, type Mutation } from './mutation.js'
import { Engine } from './postgres/engine.js'
import type { Gift } from './worker.js'

// As it was built, also where this module itself is not: what a mutation changes is what was built.
const workerPath = join(repository, 'test/dist/sim/worker.js')

export interface CrewOptions {
  threads: number
  mutation?: Mutation
  onLived: (result: HistoryResult) => void
}

/**
 * Lives the histories of these seeds, as many at once as there are threads, each with a PostgreSQL of its own. What a seed
 * lives does not depend on who lives it. Throws `RuleNotMet` where nothing that was lived says the rule that the mutation breaks.
 */
export async function liveAll(seeds: Iterator<number>, options: CrewOptions, prepared?: Blob): Promise<void> {
  const { threads, mutation, onLived } = options
  const gift: Gift = { prepared: prepared ?? (await Engine.prepare()), ...(mutation && { mutation }) }
  // A module's is met when it is loaded, or the worker ends.
  let metRule = !mutation || mutation.module !== undefined
  const noted = (result: HistoryResult) => {
    metRule ||= result.metRule
    onLived(result)
  }
  await Promise.all(Array.from({ length: threads }, () => work(gift, seeds, noted)))
  if (!metRule) throw new RuleNotMet(mutation!)
}

async function work(gift: Gift, seeds: Iterator<number>, onLived: CrewOptions['onLived']): Promise<void> {
  const worker = new Worker(workerPath, { workerData: gift })
  try {
    // It says so when it has its database.
    await once(worker, 'message')
    for (let next = seeds.next(); !next.done; next = seeds.next()) {
      const lived = once(worker, 'message')
      worker.postMessage(next.value)
      const [result] = (await lived) as [HistoryResult]
      onLived(result)
    }
  } finally {
    // Asked to end, not ended: a thread in the middle of its PostgreSQL may take the process with it.
    worker.postMessage(undefined)
    worker.unref()
  }
}
