import { systemClock } from '@nubo/kernel'
import type { PlannedFault } from './plan.js'
import type { Timeline } from './timeline.js'
import type { World } from './world.js'

/** Does what the plan says, when it says so, and takes everything back. */
export class FaultRunner {
  readonly done: { fault: string; target: string }[] = []
  /** The last fault of each target: the next waits for its end, also where that took longer than planned. */
  private readonly last = new Map<string, Promise<void>>()

  constructor(
    private readonly world: World,
    private readonly timeline: Timeline,
  ) {}

  /** Settles when the last fault is healed. Rejects where one could not be done or healed: then a run says nothing. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    const beganMs = systemClock.monotonicMs()
    const all: Promise<void>[] = []
    for (const planned of plan) {
      await systemClock.sleep(Math.max(0, beganMs + planned.atMs - systemClock.monotonicMs()))
      const before = this.last.get(planned.target) ?? Promise.resolve()
      const next = before.then(() => this.strike(planned))
      this.last.set(planned.target, next)
      // Whoever waits for all of them hears of it.
      next.catch(() => {})
      all.push(next)
    }
    await Promise.all(all)
  }

  private async strike({ fault, target, forMs, chance }: PlannedFault): Promise<void> {
    const { did, heal } = await fault.inject(this.world, target, chance)
    this.done.push({ fault: fault.name, target })
    this.timeline.note(heal ? `${did}, for ${(forMs / 1000).toFixed(0)} s` : did)
    if (!heal) return
    await systemClock.sleep(forMs)
    await heal()
    this.timeline.note(`healed: ${did}`)
  }
}
