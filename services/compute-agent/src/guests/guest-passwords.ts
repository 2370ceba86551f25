import { z } from 'zod'
import type { Files } from '../files.js'

const guestPassword = z.object({
  /** As the guest gave it, mostly sealed with its owner's key. */
  password: z.string(),
  /** How many its owner had cleared before. */
  clears: z.int().nonnegative(),
})
export type GuestPassword = z.output<typeof guestPassword>

/** By the file of a guest: what it set as its password, for its owner to read. It is on the disk before the guest hears so. */
export class GuestPasswords {
  private readonly kept = new Map<string, GuestPassword>()
  private readonly beingSet = new Set<string>()

  constructor(private readonly files: Files) {}

  /** Reads what an earlier agent kept. False where that cannot be read. */
  async load(path: string): Promise<boolean> {
    const text = await this.files.read(path).catch(() => '')
    if (text === undefined) return true
    const found = guestPassword.safeParse(jsonOf(text))
    if (found.success) this.kept.set(path, found.data)
    return found.success
  }

  /** Whether it counts still is said by how many were cleared. */
  at(path: string): GuestPassword | undefined {
    return this.kept.get(path)
  }

  /** False where one is set that was not cleared, or is being set. */
  async set(path: string, password: GuestPassword): Promise<boolean> {
    const before = this.kept.get(path)
    if (this.beingSet.has(path) || (before && before.clears >= password.clears)) return false
    this.beingSet.add(path)
    try {
      await this.files.write(path, JSON.stringify(password))
    } finally {
      this.beingSet.delete(path)
    }
    this.kept.set(path, password)
    return true
  }

  /** Its guest is gone. */
  forget(path: string): void {
    this.kept.delete(path)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
