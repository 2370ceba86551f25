import { Inject, Injectable } from '@nestjs/common'
import { CloudError, type Clock } from '@nubo/kernel'
import type { Logger } from './logger.js'
import { Pressure } from './pressure.js'
import { CLOCK, LOGGER } from './tokens.js'

/** Resolves where all is well, and rejects with why not. Anybody may read the message of a CloudError. */
export type HealthCheck = () => Promise<void>

export interface HealthReport {
  /** Whether to send it requests. */
  ready: boolean
  /** 'ok', or what is wrong, by the name of the check. */
  checks: Record<string, string>
  /** Why no more work is taken on for the moment; absent while it is. */
  refusing?: string
}

export interface CheckOptions {
  /** False for what this service is of use without, if only for a while: it is told of, and the service is ready all the same. */
  needed?: boolean
}

const checkTimeoutMs = 2_000
/** Nobody makes us ask the database more often by asking us. */
const goodForMs = { ready: 1_000, unready: 100 }

/** What has to work for this service to be of use. Modules register what they stand on. */
@Injectable()
export class Health {
  private readonly checks = new Map<string, { check: HealthCheck; needed: boolean; told?: string }>()
  private last: { report: Promise<HealthReport>; untilMs: number } | undefined
  private stopping = false

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Pressure) private readonly pressure: Pressure,
  ) {}

  register(name: string, check: HealthCheck, { needed = true }: CheckOptions = {}): void {
    this.checks.set(name, { check, needed })
  }

  /** From now on it is not ready: it ends. */
  stop(): void {
    this.stopping = true
  }

  async report(): Promise<HealthReport> {
    if (this.stopping) return { ready: false, checks: { service: 'it is stopping' } }
    if (!this.last || this.clock.monotonicMs() >= this.last.untilMs) this.last = this.lookAgain()
    const report = await this.last.report
    const { strain } = this.pressure
    return strain ? { ...report, refusing: strain.words } : report
  }

  /** One look for all who ask meanwhile. */
  private lookAgain() {
    const last = { report: this.look(), untilMs: Infinity }
    void last.report.then(({ ready }) => {
      last.untilMs = this.clock.monotonicMs() + (ready ? goodForMs.ready : goodForMs.unready)
    })
    return last
  }

  private async look(): Promise<HealthReport> {
    const results = await Promise.all([...this.checks.keys()].map(async (name) => [name, await this.run(name)] as const))
    const ready = results.every(([name, result]) => result === 'ok' || !this.checks.get(name)!.needed)
    return { ready, checks: Object.fromEntries(results) }
  }

  private async run(name: string): Promise<string> {
    const registered = this.checks.get(name)!
    const result = await this.outcomeOf(name, registered.check)
    registered.told = result
    return result
  }

  private async outcomeOf(name: string, check: HealthCheck): Promise<string> {
    const late = new AbortController()
    try {
      return await Promise.race([
        check().then(() => 'ok'),
        this.clock.sleep(checkTimeoutMs, late.signal).then(() => `no answer within ${checkTimeoutMs} ms`),
      ])
    } catch (error) {
      return this.wordsOf(name, error)
    } finally {
      late.abort()
    }
  }

  /** What is not said to people goes to the log, once for as long as it lasts. */
  private wordsOf(name: string, error: unknown): string {
    if (error instanceof CloudError && error.kind !== 'Bug') return error.message
    const words = 'it does not work; the log says why'
    if (this.checks.get(name)!.told !== words) this.logger.warn({ err: error, check: name }, 'not ready')
    return words
  }
}
