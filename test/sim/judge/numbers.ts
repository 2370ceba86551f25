import { registrationSequence } from '@nubo/contract'
import { BrokenPromise } from './broken-promise.js'
import type { Records } from './records.js'

const tables = ['hosts', 'host_networks', 'servers'] as const
const laterStands = 'what a host said later stands'

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
    const isResult = written.has('operation_steps')
    for (const table of tables) {
      if (!written.has(table)) continue
      for (const { id, saidIn: session, said: number, ...row } of this.records.of(table)) {
        const before = this.newest.get(id)
        this.newest.set(id, { session, number })
        if (session === null) continue
        const hostId = 'hostId' in row ? row.hostId : id
        if (before?.session === session) checkNumber(`${table}: ${id}`, number, before.number)
        else if (table === 'servers' && isResult) this.checkResult(id, hostId, before)
        else this.checkSession(table, hostId, session)
      }
    }
  }

  /**
   * How a command ended counts whenever it is told, and what was seen with it unless its host's session has said more since it
   * began: of what it began with nobody knows whether it was seen later.
   */
  private checkResult(id: string, hostId: string | null, before: Said | undefined): void {
    const isOfNow = before && before.session === this.sessionOf(hostId) && before.number > registrationSequence
    if (isOfNow) throw new BrokenPromise(laterStands, `servers: ${id}: of another session after ${before.number} of this one`)
  }

  private checkSession(table: string, hostId: string | null, session: string): void {
    const now = this.sessionOf(hostId)
    if (now !== session)
      throw new BrokenPromise('a session that is over says nothing', `${table}: ${hostId}: ${session}, not ${now}`)
  }

  private sessionOf(hostId: string | null): string | null | undefined {
    return this.records.of('hosts').find(({ id }) => id === hostId)?.saidIn
  }
}

function checkNumber(what: string, number: number, before: number): void {
  if (number < before) throw new BrokenPromise(laterStands, `${what}: ${number} after ${before}`)
}
