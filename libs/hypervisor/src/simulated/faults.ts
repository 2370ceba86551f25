import { CloudError, type Clock, type Random } from '@nubo/kernel'
import type { Hypervisor } from '../hypervisor.js'

export type Verb = Exclude<keyof Hypervisor, 'watch' | 'close'>

/**
 * How a call goes wrong:
 * - `refuse`: nothing happens, and the hypervisor says why.
 * - `lose-answer`: it happens, but the caller learns only that the outcome is unknown.
 * - `lose-call`: it does not happen, and the caller learns only that the outcome is unknown.
 * - `stall`: nothing happens until `release`, then it goes on as if nothing had been.
 */
export type Fault = 'refuse' | 'lose-answer' | 'lose-call' | 'stall'

/** For each call that is made, how likely each fault is. */
export type FaultRates = Partial<Record<Exclude<Fault, 'stall'>, number>>

/** Decides which call goes wrong, and how. */
export class Faults {
  /** Of every verb that changes something. */
  rates: FaultRates = {}
  private readonly planned: { verb: Verb; fault: Fault }[] = []
  private stalled: (() => void)[] = []

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** The next call of `verb` that has no fault planned already goes wrong like this. */
  plan(verb: Verb, fault: Fault): void {
    this.planned.push({ verb, fault })
  }

  get stalledCalls(): number {
    return this.stalled.length
  }

  /** Lets every stalled call go on. */
  release(): void {
    for (const resume of this.stalled.splice(0)) resume()
  }

  /** From now on nothing goes wrong. */
  heal(): void {
    this.rates = {}
    this.planned.length = 0
    this.release()
  }

  /** Carries a call out, or not. */
  async carryOut<T>(verb: Verb, latencyMs: number, action: () => T): Promise<T> {
    const fault = this.next(verb)
    if (latencyMs > 0) await this.clock.sleep(latencyMs)
    if (fault === 'stall') await new Promise<void>((resume) => this.stalled.push(resume))
    if (fault === 'refuse') throw new CloudError('Conflict', `The simulated hypervisor refuses to ${verb}`)
    if (fault === 'lose-call') throw unknownOutcome(verb)
    const result = action()
    if (fault === 'lose-answer') throw unknownOutcome(verb)
    return result
  }

  private next(verb: Verb): Fault | undefined {
    const index = this.planned.findIndex((plan) => plan.verb === verb)
    if (index >= 0) return this.planned.splice(index, 1)[0]!.fault
    if (reading.has(verb)) return undefined
    let chance = this.random.fraction()
    for (const [fault, rate] of Object.entries(this.rates) as [Fault, number][]) {
      if (chance < rate) return fault
      chance -= rate
    }
    return undefined
  }
}

const reading: ReadonlySet<Verb> = new Set(['describe', 'inspect', 'list', 'nics', 'statistics', 'consoleOutput'])

function unknownOutcome(verb: Verb): CloudError {
  return new CloudError('Unavailable', `No answer came: whether the simulated hypervisor did ${verb} is unknown`, {
    details: { outcome: 'unknown' },
  })
}
