import { randomBytes, randomFillSync } from 'node:crypto'

/** Chance comes in through this door only, so that a failing seed replays exactly. */
export interface Random {
  bytes(count: number): Buffer
  /** Uniform in [0, 1). */
  fraction(): number
}

/** Drawn ahead a page at a time: for the sixteen bytes of an id, asking the system costs more than all the rest of it. */
const ahead = Buffer.alloc(4_096)
let used = ahead.length

function draw(count: number): Buffer {
  if (count > ahead.length) return randomBytes(count)
  if (used + count > ahead.length) {
    randomFillSync(ahead)
    used = 0
  }
  const drawn = ahead.subarray(used, (used += count))
  const bytes = Buffer.from(drawn)
  // What was given away may be a secret: it is not kept here.
  drawn.fill(0)
  return bytes
}

export const systemRandom: Random = {
  bytes: draw,
  fraction: () => draw(4).readUInt32BE() / 2 ** 32,
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
