/**
 * Gathers what arrives while a batch is under way into the next one. Under load the batches grow by themselves; when idle,
 * one item is a batch and waits for nothing.
 */
export class Batcher<Item> {
  private waiting: { item: Item; resolve: () => void; reject: (error: unknown) => void }[] = []
  private running = false

  constructor(private readonly run: (items: readonly Item[]) => Promise<void>) {}

  /** Resolves when the batch with this item is through; rejects as the batch does. */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject })
      if (!this.running) void this.drain()
    })
  }

  private async drain(): Promise<void> {
    this.running = true
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      try {
        await this.run(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.running = false
  }
}
