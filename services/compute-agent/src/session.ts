import { registrationSequence, type Registered } from '@nubo/contract'
import { assert, type SessionId } from '@nubo/kernel'

/** What the conductor gave this agent when it registered, and the count of what was seen since. */
export class Session {
  private current: { id: SessionId; fencingEpoch: number } | undefined
  private sequence = 0

  /** Undefined until the first registration was answered. */
  get id(): SessionId | undefined {
    return this.current?.id
  }

  get fencingEpoch(): number | undefined {
    return this.current?.fencingEpoch
  }

  begin({ sessionId, fencingEpoch }: Registered): void {
    this.current = { id: sessionId, fencingEpoch }
    this.sequence = registrationSequence
  }

  /** To be taken before one looks, so that what is seen later never has a lower number. */
  nextSequence(): number {
    assert(this.current, 'a session has begun')
    return ++this.sequence
  }
}
