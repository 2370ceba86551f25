import { seededRandom, type Random } from '@nubo/kernel'

/** What a seed decides. */
export class Chance {
  readonly random: Random

  constructor(seed: number) {
    this.random = seededRandom(seed)
    // The first numbers of neighbouring seeds are alike.
    for (let i = 0; i < 8; i++) this.random.fraction()
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.random.fraction() < probability
  }

  between(least: number, most: number): number {
    return least + this.random.fraction() * (most - least)
  }

  /** As likely between 1 and 10 as between 10 and 100: mostly short, now and then long. */
  spread(least: number, most: number): number {
    return least * (most / least) ** this.random.fraction()
  }

  /** A whole number, both ends among them. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.random.fraction() * (most - least + 1))
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random.fraction() * items.length)]!
  }

  /** Takes one out. */
  take<T>(items: T[]): T | undefined {
    return items.splice(Math.floor(this.random.fraction() * items.length), 1)[0]
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.map(() => this.take(left)!)
  }

  /** A stream of its own, so that what one part of the world draws does not depend on how much another does. */
  fork(): Chance {
    return new Chance(Math.floor(this.random.fraction() * 2 ** 32))
  }
}
