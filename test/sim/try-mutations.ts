import { liveAll } from './crew.js'
import type { Breach } from './history.js'
import type { Mutation } from './mutation.js'
import { Engine } from './postgres/engine.js'

export interface Tried {
  mutation: Mutation
  histories: number
  /** What they took of the processors, making a database not among it. */
  cpuMs: number
  /** What showed it; absent: nothing did. */
  found?: { seed: number; broken: Breach }
  /** Why nothing can be said: its rule is not in our code any more, say. */
  failed?: Error
}

export interface TryOptions {
  from: number
  /** The most that is lived of each cloud. */
  histories: number
  threads: number
}

/** Lives histories of a cloud with each of these rules broken, one after the other, until one shows it. */
export async function* tryMutations(
  mutations: readonly Mutation[],
  { from, histories, threads }: TryOptions,
  prepared?: Blob,
): AsyncGenerator<Tried> {
  prepared ??= await Engine.prepare()
  for (const mutation of mutations) {
    const tried: Tried = { mutation, histories: 0, cpuMs: 0 }
    let began: NodeJS.CpuUsage | undefined
    function* seeds() {
      began ??= process.cpuUsage()
      for (let seed = from; seed < from + histories && !tried.found; seed++) yield seed
    }
    await liveAll(
      seeds(),
      {
        threads,
        mutation,
        onLived: ({ seed, broken }) => {
          tried.histories++
          if (broken) tried.found ??= { seed, broken }
        },
      },
      prepared,
    ).catch((error: unknown) => void (tried.failed = error as Error))
    const { user, system } = process.cpuUsage(began)
    yield { ...tried, cpuMs: (user + system) / 1000 }
  }
}

export function inWords({ mutation, histories, cpuMs, found, failed }: Tried): string {
  const name = mutation.name.padEnd(30)
  if (failed) return `${name} could not be tried: ${failed.message}`
  const took = `${histories} histories, ${(cpuMs / 1000).toFixed(1)} s of CPU`
  if (!found) return `${name} not found in ${took}`
  return `${name} found in ${took} (seed ${found.seed}): ${found.broken.name}: ${found.broken.message.slice(0, 160)}`
}
