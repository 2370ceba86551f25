/** Runs at most so many pieces of work at once; the others wait in the order in which they came. */
export class Limiter {
  private readonly waiting: (() => void)[] = []
  private running = 0

  constructor(private readonly atMost: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.atMost) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.running++
    try {
      return await work()
    } finally {
      // Whoever waits takes this place, and nobody comes in between.
      const next = this.waiting.shift()
      if (next) next()
      else this.running--
    }
  }
}
