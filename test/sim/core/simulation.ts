import { setImmediate } from 'node:timers'
import { assert, type Timer } from '@nubo/kernel'
import type { Chance } from './chance.js'

interface Event {
  atMs: number
  /** Decides between events of the same moment. */
  order: number
  action: () => void
}

/** A turn of Node's event loop costs more than most events: so many happen in one. */
const eventsATurn = 64

/**
 * Virtual time, and everything that happens in it. One event happens after the other; between two of them runs whatever
 * waits for nothing outside. What is to happen at the same moment happens in an order that the seed decides.
 */
export class Simulation {
  /** Milliseconds since the world began. */
  nowMs = 0
  eventCount = 0
  private readonly pending: Event[] = []

  constructor(readonly chance: Chance) {}

  after(delayMs: number, action: () => void): Timer {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.chance.random.fraction(), action }
    this.pending.splice(this.placeOf(event), 0, event)
    return {
      cancel: () => {
        const index = this.pending.indexOf(event)
        if (index >= 0) this.pending.splice(index, 1)
      },
    }
  }

  /** Lets events happen until this is so. It is asked before each, when all that follows at once from the one before is done. */
  async run(isOver: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let ended = false
    const next = () => {
      if (ended) return
      try {
        ended = isOver()
        if (ended) resolve()
        else this.happen()
      } catch (error) {
        ended = true
        reject(error as Error)
      }
    }
    // Between two of these Node resolves every promise that can be resolved without another event.
    const turn = () => {
      for (let i = 0; i < eventsATurn; i++) setImmediate(next)
      setImmediate(() => ended || turn())
    }
    turn()
    await promise
  }

  private happen(): void {
    // Kept in reverse: the next one is the last.
    const event = this.pending.pop()
    assert(event, 'something is always about to happen')
    this.nowMs = event.atMs
    this.eventCount++
    event.action()
  }

  private placeOf(event: Event): number {
    let [low, high] = [0, this.pending.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (isLater(this.pending[middle]!, event)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isLater(a: Event, b: Event): boolean {
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.order > b.order)
}
