import { Inject, Injectable } from '@nestjs/common'
import type { Clock } from '@nubo/kernel'
import { CLOCK } from './tokens.js'

/** Resolves where all is well, and rejects with why not. */
export type HealthCheck = () => Promise<void>

export interface HealthReport {
  ready: boolean
  /** 'ok', or what is wrong, by the name of the check. */
  checks: Record<string, string>
}

const checkTimeoutMs = 2_000

/** What has to work for this service to be of use. Modules register what they stand on. */
@Injectable()
export class Health {
  private readonly checks = new Map<string, HealthCheck>()

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  register(name: string, check: HealthCheck): void {
    this.checks.set(name, check)
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all([...this.checks].map(async ([name, check]) => [name, await this.run(check)] as const))
    return { ready: results.every(([, result]) => result === 'ok'), checks: Object.fromEntries(results) }
  }

  private async run(check: HealthCheck): Promise<string> {
    const late = new AbortController()
    try {
      return await Promise.race([
        check().then(() => 'ok'),
        this.clock.sleep(checkTimeoutMs, late.signal).then(() => `no answer within ${checkTimeoutMs} ms`),
      ])
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      late.abort()
    }
  }
}
