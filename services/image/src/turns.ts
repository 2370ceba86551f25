/** Lets a limited number of works run at once; the others wait in the order in which they came. */
export class Turns {
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly concurrent: number) {}

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrent) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.running++
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.running--
    }
  }
}
