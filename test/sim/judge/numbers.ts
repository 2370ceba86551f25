import { BrokenPromise } from './broken-promise.js'
import type { Records } from './records.js'

const tables = ['hosts', 'host_networks', 'servers'] as const

interface Said {
  session: string | null
  number: number
}

/** Of what hosts report: what was said later in a session stands, and what was said in one that is over says nothing. */
export class Numbers {
  private readonly newest = new Map<string, Said>()

  constructor(private readonly records: Records) {}

  /** To be called after each commit. Throws BrokenPromise. */
  check(written: ReadonlySet<string>): void {
    // How a command ended counts whenever it is told: it is about a step that was open.
    const isResult = written.has('operation_steps')
    for (const table of tables) {
      if (!written.has(table)) continue
      for (const { id, saidIn: session, said: number, ...row } of this.records.of(table)) {
        const before = this.newest.get(id)
        this.newest.set(id, { session, number })
        if (session === null || (table === 'servers' && isResult)) continue
        if (before?.session !== session) this.checkSession(table, 'hostId' in row ? row.hostId : id, session)
        else if (number < before.number)
          throw new BrokenPromise('what a host said later stands', `${table}: ${id}: ${number} after ${before.number}`)
      }
    }
  }

  private checkSession(table: string, hostId: string | null, session: string): void {
    const now = this.records.of('hosts').find(({ id }) => id === hostId)?.saidIn
    if (now !== session)
      throw new BrokenPromise('a session that is over says nothing', `${table}: ${hostId}: ${session}, not ${now}`)
  }
}
