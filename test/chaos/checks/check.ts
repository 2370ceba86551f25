import type { Ledger } from '../load/ledger.js'
import type { World } from '../world.js'

export interface Scene {
  world: World
  ledger: Ledger
}

/** A promise, looked at from the outside: what breaks it, each in words; nothing where it holds. */
export interface Check {
  name: string
  find(scene: Scene): Promise<string[]>
}
