import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Timer } from '@nubo/kernel'
import type { Chance } from './chance.js'

interface Event {
  atMs: number
  /** Decides between events of the same moment. */
  order: number
  action: () => void
}

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

  /** Lets the next event happen, and all that follows from it at once. False where nothing is left to happen. */
  async step(): Promise<boolean> {
    // Kept in reverse: the next one is the last.
    const event = this.pending.pop()
    if (!event) return false
    this.nowMs = event.atMs
    this.eventCount++
    event.action()
    // Every promise that can be resolved without another event is resolved when the turn is over.
    await nextTurn()
    return true
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
