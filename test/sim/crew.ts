import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { HistoryResult } from './history.js'

const workerPath = fileURLToPath(new URL('worker.js', import.meta.url))

/**
 * Lives the histories of these seeds, as many at once as there are threads, each with a PostgreSQL of its own. What a seed
 * lives does not depend on who lives it.
 */
export async function liveAll(seeds: Iterator<number>, threads: number, onLived: (result: HistoryResult) => void): Promise<void> {
  await Promise.all(Array.from({ length: threads }, () => work(seeds, onLived)))
}

async function work(seeds: Iterator<number>, onLived: (result: HistoryResult) => void): Promise<void> {
  const worker = new Worker(workerPath)
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
    await worker.terminate()
  }
}
