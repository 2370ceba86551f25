import type { RequestId } from '@nubo/kernel'

/** What was done about servers' running, by their tenant and by their guests: who may be found stopped. */
export class PowerHistory {
  private readonly stopped = new Set<string>()
  /** By server, the last start that was asked for, and the last that was promised. */
  private readonly asked = new Map<string, RequestId>()
  private readonly started = new Map<string, RequestId>()

  /** It was asked to stop, or to do what may leave it stopped, or did so itself. */
  mayStop(serverId: string): void {
    this.stopped.add(serverId)
    this.asked.delete(serverId)
    this.started.delete(serverId)
  }

  startAsked(serverId: string, requestId: RequestId): void {
    this.asked.set(serverId, requestId)
  }

  /** This start was promised. What was done since it was asked for may have come after it. */
  startPromised(serverId: string, requestId: RequestId): void {
    if (this.asked.get(serverId) === requestId) this.started.set(serverId, requestId)
  }

  /** Nobody knows in which order it was said: an API was killed. */
  confuse(): void {
    this.asked.clear()
    this.started.clear()
  }

  /** What may have stopped it: 'nothing', 'anything', or what was before this start, if that was carried out. */
  cause(serverId: string): 'nothing' | 'anything' | { before: RequestId } {
    if (!this.stopped.has(serverId)) return 'nothing'
    const before = this.started.get(serverId)
    return before === undefined ? 'anything' : { before }
  }
}
