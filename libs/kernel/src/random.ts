import { randomBytes } from 'node:crypto'

/** Chance comes in through this door only, so that a failing seed replays exactly. */
export interface Random {
  bytes(count: number): Buffer
  /** Uniform in [0, 1). */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
}

/** Mulberry32: small, fast and repeatable. For tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return {
    bytes(count) {
      const out = Buffer.alloc(count)
      for (let i = 0; i < count; i++) out[i] = next() & 0xff
      return out
    },
    fraction: () => next() / 2 ** 32,
  }
}

/** One of `items`, each as likely as the others. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random.fraction() * items.length)]!
}
