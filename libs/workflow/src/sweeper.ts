import { Rounds, type Clock, type Random, type StepId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Caster } from './caster.js'
import type { DueStep, OperationStore } from './store.js'

export interface SweeperOptions {
  store: OperationStore
  queue: Queue
  caster: Pick<Caster, 'cast'>
  clock: Clock
  random: Random
  /** Between two rounds: the shorter while there is something to cast again, up to the longer while there is nothing. */
  intervalMs: { busy: number; idle: number }
  onError: (error: unknown) => void
}

const batchSize = 200
/** A queue in which so much waits is not lost but slow: what is due there is most likely in it, and is asked for later. */
const deepEnough = 200

/** Room for hints in each queue that was looked at. */
type RoomByQueue = Map<string, number>

/**
 * Casts again what nobody took: after a queue that was emptied, an agent that was away, a process that died between its
 * commit and its cast. A queue that is merely slow gets no flood of repetitions. Any number may run side by side.
 */
export class Sweeper {
  private readonly rounds: Rounds
  private pauseMs: number

  constructor(private readonly options: SweeperOptions) {
    const { clock, random, intervalMs, onError } = options
    this.pauseMs = intervalMs.busy
    // Jitter, so that replicas do not all ask at once.
    const pauseMs = () => this.pauseMs * (0.75 + random.fraction() / 2)
    this.rounds = new Rounds(async () => this.pace(await this.sweep()), { clock, pauseMs, onError })
  }

  start(): void {
    this.rounds.start()
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }

  /** One round: everything that is due now. Returns how many steps were cast again. */
  async sweep(): Promise<number> {
    const { store, caster } = this.options
    const rooms: RoomByQueue = new Map()
    let total = 0
    for (;;) {
      const due = await store.takeDueSteps(batchSize)
      const ids = await this.thatFit(due, rooms)
      await caster.cast(ids)
      total += ids.length
      if (due.length < batchSize) return total
    }
  }

  /** Those whose queue has room for them. The others were put off by their backoff, and are due again after it. */
  private async thatFit(due: readonly DueStep[], rooms: RoomByQueue): Promise<StepId[]> {
    try {
      await this.lookAtDepths(due, rooms)
    } catch (error) {
      // The queue is away: they are due as soon as it is back, and not the later the longer it was away.
      await this.options.store.giveBackSteps(due.map((step) => step.id))
      throw error
    }
    return due.filter(({ queue }) => takeRoom(rooms, queue)).map((step) => step.id)
  }

  private async lookAtDepths(due: readonly DueStep[], rooms: RoomByQueue): Promise<void> {
    const unknown = [...new Set(due.map((step) => step.queue))].filter((name) => !rooms.has(name))
    await Promise.all(
      unknown.map(async (name) => rooms.set(name, Math.max(0, deepEnough - (await this.options.queue.depth(name))))),
    )
  }

  /** A round that finds nothing makes the next one later: an idle cloud asks its database little. */
  private pace(found: number): void {
    const { busy, idle } = this.options.intervalMs
    this.pauseMs = found > 0 ? busy : Math.min(this.pauseMs * 2, idle)
  }
}

function takeRoom(rooms: RoomByQueue, queue: string): boolean {
  const room = rooms.get(queue) ?? 0
  if (room === 0) return false
  rooms.set(queue, room - 1)
  return true
}
