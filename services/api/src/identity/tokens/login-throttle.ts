import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import { addLoginFailure, forgetLoginFailures, removeOldLoginFailures, type Database, type Login } from '@nubo/database'
import { CloudError, type Clock } from '@nubo/kernel'
import { CLOCK } from '@nubo/service-kit'
import { loginRefused } from '../identity-errors.js'

/** So many failures in a row cost nothing: people mistype. */
const freeFailures = 5
const firstDelayMs = 500
const maxDelayMs = 30_000
/** Logins of one subject that may wait at once in this process; a flood beyond it is refused unheard. */
const maxWaiting = 10
const cleanupIntervalMs = 60_000

/** How long the `nth` failed login in a row is kept waiting before it is heard. */
export function delayMsOf(nth: number): number {
  return nth <= freeFailures ? 0 : Math.min(firstDelayMs * 2 ** (nth - freeFailures - 1), maxDelayMs)
}

/**
 * Makes guessing slow without locking anybody out: after a few failures in a row every further login of the same subject
 * waits, right or wrong, and each of several at once counts for itself. Other subjects wait for nothing.
 */
@Injectable()
export class LoginThrottle {
  private readonly waiting = new Map<string, number>()
  private cleanedAtMs = -Infinity

  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Runs `login` when it is its turn. What it rejects with Unauthenticated counts as a failure of `subject`. */
  async run<T>({ subject, failures }: Pick<Login, 'subject' | 'failures'>, login: () => Promise<T>): Promise<T> {
    const counted = failures >= freeFailures
    // Counted before it is heard: else any number of guesses at once would find the same count.
    if (counted) await this.wait(subject, delayMsOf(await addLoginFailure(this.database, subject)))
    try {
      const result = await login()
      if (failures > 0) await forgetLoginFailures(this.database, subject)
      return result
    } catch (error) {
      if (!counted && error instanceof CloudError && error.kind === 'Unauthenticated') {
        await addLoginFailure(this.database, subject)
        await this.cleanUp()
      }
      throw error
    }
  }

  private async wait(subject: string, delayMs: number): Promise<void> {
    const waiting = this.waiting.get(subject) ?? 0
    if (waiting >= maxWaiting) throw loginRefused()
    this.waiting.set(subject, waiting + 1)
    try {
      await this.clock.sleep(delayMs)
    } finally {
      const left = this.waiting.get(subject)! - 1
      if (left === 0) this.waiting.delete(subject)
      else this.waiting.set(subject, left)
    }
  }

  private async cleanUp(): Promise<void> {
    const nowMs = this.clock.monotonicMs()
    if (nowMs - this.cleanedAtMs < cleanupIntervalMs) return
    this.cleanedAtMs = nowMs
    await removeOldLoginFailures(this.database)
  }
}
