import { computeQueue, type Acknowledge } from '@nubo/contract'
import type { Clock, HostId, Timer } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'

type Acknowledged = Acknowledge['results'][number]

/** Long enough to gather what one burst of work brings, short beside the agents' patience before they repeat a result. */
const gatherMs = 20

/** Tells agents which results are committed, gathered by host. One that is lost is asked for again by the agent's repetition. */
export class Acknowledger {
  private readonly waiting = new Map<HostId, Acknowledged[]>()
  private timer: Timer | undefined

  constructor(
    private readonly queue: Queue,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
  ) {}

  add(hostId: HostId, result: Acknowledged): void {
    const results = this.waiting.get(hostId)
    if (results) results.push(result)
    else this.waiting.set(hostId, [result])
    this.timer ??= this.clock.after(gatherMs, () => void this.flush())
  }

  async flush(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    const all = [...this.waiting]
    this.waiting.clear()
    for (const [hostId, results] of all) {
      await this.queue.cast(computeQueue(hostId), { kind: 'acknowledge', results }).catch(this.onError)
    }
  }
}
