import { hostname } from 'node:os'
import { recordPresence, type Database } from '@nubo/database'
import { Rounds, type Clock } from '@nubo/kernel'
import type { Logger } from '@nubo/service-kit'

const intervalMs = 10_000

/** Keeps this service in the list of those that were heard of (`os-services`). */
export class Presence {
  private readonly rounds: Rounds

  constructor(binary: string, database: Database, clock: Clock, logger: Logger) {
    const onError = (error: unknown) => logger.warn({ err: error }, 'could not say that this service is here')
    const say = () => recordPresence(database, { binary, host: hostname() })
    this.rounds = new Rounds(say, { clock, pauseMs: intervalMs, onError })
  }

  start(): void {
    this.rounds.start({ now: true })
  }

  async stop(): Promise<void> {
    await this.rounds.stop()
  }
}
