/**
 * Runs at most so many pieces of work at once. The others wait in the order in which they came, and those of several askers
 * take turns: however much one of them has, the next of another waits for one piece of it.
 */
export class Limiter {
  private readonly waiting = new Map<unknown, (() => void)[]>()
  private running = 0

  constructor(private readonly atMost: number) {}

  async run<T>(work: () => Promise<T>, asker?: unknown): Promise<T> {
    if (this.running >= this.atMost) await new Promise<void>((resolve) => this.wait(asker, resolve))
    else this.running++
    try {
      return await work()
    } finally {
      // Whoever waits takes this place, and nobody comes in between.
      const next = this.takeNext()
      if (next) next()
      else this.running--
    }
  }

  private wait(asker: unknown, resolve: () => void): void {
    const mine = this.waiting.get(asker)
    if (mine) mine.push(resolve)
    else this.waiting.set(asker, [resolve])
  }

  /** The first of whoever has waited longest for a turn, who then is behind the others. */
  private takeNext(): (() => void) | undefined {
    for (const [asker, [next, ...others]] of this.waiting) {
      this.waiting.delete(asker)
      if (others.length > 0) this.waiting.set(asker, others)
      return next
    }
    return undefined
  }
}
