import type { World } from '../world.js'

/** A fault at work: what was done, in words, and how it is taken back; without `heal` it mends by itself. */
export interface Injected {
  did: string
  heal?: () => Promise<void>
}

/** One way to break the cloud. */
export interface Fault {
  name: string
  /** What it may be done to, such as `api` or `host-1`. Faults on the same target come one after another. */
  targets: readonly string[]
  /** How often it comes, compared with the others. */
  weight: number
  /** How long it stays, at least and at most; absent for what only ends something that is started again at once. */
  lastsMs?: readonly [number, number]
  /** What the machine lacks for it, in words; absent where it needs nothing. */
  lacks?(world: World): string | undefined
  /** Does it. `chance` in [0, 1) is the plan's, for what can be chosen only now. */
  inject(world: World, target: string, chance: number): Promise<Injected>
}

export const hostNames = ['host-1', 'host-2'] as const
