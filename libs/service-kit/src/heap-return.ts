import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Clock } from '@nubo/kernel'

const mebibyte = 1024 * 1024
const lookEveryMs = 10_000
/** Of the time between two looks, what an idle service's own rounds take at the most. */
const idleUtilization = 0.05
/**
 * Less is not worth the pause (100 to 250 ms for 45 MiB in use), and a service of little to do would be paused at each look: its
 * young generation alone grows by 24 MiB.
 */
const leastGrowth = { bytes: 32 * mebibyte, times: 1.5 }

/** What V8 is asked; `collect` looks over the whole heap and gives the system every page that is free then. */
export interface Heap {
  physicalBytes(): number
  collect(): void
}

/**
 * V8's own, or undefined where the process runs without `--expose-gc`.
 *
 * @see https://v8.dev/blog/trash-talk, and `GCOptions` of Node's types: 'last-resort' is what shrinks the heap, too.
 */
export function ownHeap(): Heap | undefined {
  const collector = globalThis.gc
  return collector && { physicalBytes: () => getHeapStatistics().total_physical_size, collect: () => void collector(lastResort) }
}

const lastResort = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

/**
 * Gives back what a rush took, once the service idles.
 *
 * V8 looks a heap over by what is allocated: a service that has nothing to do allocates next to nothing, and would keep for
 * days what a minute of work left behind. A lower limit of the heap has it looked over more often, in the rush.
 */
export class HeapReturn {
  private utilization: EventLoopUtilization | undefined
  private keptBytes = 0

  constructor(
    private readonly clock: Clock,
    private readonly heap: Heap,
    private readonly utilizationSince: typeof performance.eventLoopUtilization = performance.eventLoopUtilization,
  ) {}

  start(): void {
    this.utilization = this.utilizationSince()
    this.setAlarm()
  }

  private setAlarm(): void {
    this.clock.after(lookEveryMs, () => this.look(), { background: true })
  }

  private look(): void {
    const now = this.utilizationSince()
    const { utilization } = this.utilizationSince(now, this.utilization)
    this.utilization = now
    if (utilization <= idleUtilization && this.hasGrown()) this.collect()
    this.setAlarm()
  }

  private hasGrown(): boolean {
    const { keptBytes } = this
    return this.heap.physicalBytes() >= Math.max(keptBytes + leastGrowth.bytes, keptBytes * leastGrowth.times)
  }

  private collect(): void {
    this.heap.collect()
    this.keptBytes = this.heap.physicalBytes()
  }
}
