import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Clock, HostId } from '@nubo/kernel'

/** One host's key as it is kept for a while: text and key, or that there is none. */
export interface KnownKey {
  pem: string
  key: KeyObject
}

interface Kept {
  known: KnownKey | undefined
  readAtMs: number
}

/** A new key of a host counts after so long at the latest, and one that was taken away no longer than that. */
const keptMs = 5_000
/** A signature that does not fit may be of a key that was enrolled just now; asking is not for a flooding host to force. */
const askAgainMs = 1_000
const mostKept = 10_000

/** The enrolled keys of hosts, read from the database and kept for seconds. */
export class HostKeyRing {
  private readonly kept = new Map<HostId, Promise<Kept>>()

  constructor(
    private readonly find: (hostId: HostId) => Promise<string | undefined>,
    private readonly clock: Clock,
  ) {}

  async keyOf(hostId: HostId): Promise<KnownKey | undefined> {
    return await this.noOlderThan(hostId, keptMs)
  }

  /** As it is now, or was a moment ago. */
  async freshKeyOf(hostId: HostId): Promise<KnownKey | undefined> {
    return await this.noOlderThan(hostId, askAgainMs)
  }

  private async noOlderThan(hostId: HostId, ageMs: number): Promise<KnownKey | undefined> {
    const kept = await this.kept.get(hostId)
    if (kept && this.clock.monotonicMs() - kept.readAtMs < ageMs) return kept.known
    if (this.kept.size >= mostKept) this.kept.clear()
    const reading = this.read(hostId, kept?.known)
    this.kept.set(hostId, reading)
    // What could not be read is asked for again.
    reading.catch(() => this.kept.delete(hostId))
    return (await reading).known
  }

  /** Reading a key's text costs more than a signature's check: the key is made anew only where its text is new. */
  private async read(hostId: HostId, before: KnownKey | undefined): Promise<Kept> {
    const readAtMs = this.clock.monotonicMs()
    const pem = await this.find(hostId)
    if (pem === undefined) return { known: undefined, readAtMs }
    return { known: before?.pem === pem ? before : { pem, key: createPublicKey(pem) }, readAtMs }
  }
}
