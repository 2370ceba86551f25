import { createHash } from 'node:crypto'
import type { Simulation } from './simulation.js'

interface Line {
  nowMs: number
  who: string
  what: string
  /** For a reader only: no part of the fingerprint. */
  isDetail: boolean
}

/** What happened, as a person reads it; and its fingerprint, by which a replay is known to be the same. */
export class Trace {
  private readonly lines: Line[] = []
  private readonly names = new Map<string, string>()
  private readonly counts = new Map<string, number>()

  /** @param verbose whether what the programs themselves log is kept too. */
  constructor(
    private readonly simulation: Simulation,
    readonly verbose: boolean,
  ) {}

  /** From now on this id is written as a short name. */
  name(id: string, kind: string): string {
    const known = this.names.get(id)
    if (known) return known
    const number = (this.counts.get(kind) ?? 0) + 1
    this.counts.set(kind, number)
    const name = `${kind}-${number}`
    this.names.set(id, name)
    return name
  }

  note(who: string, what: string): void {
    this.lines.push({ nowMs: this.simulation.nowMs, who, what, isDetail: false })
  }

  detail(who: string, what: () => string): void {
    if (this.verbose) this.lines.push({ nowMs: this.simulation.nowMs, who, what: `  ${what()}`, isDetail: true })
  }

  get fingerprint(): string {
    const noted = this.lines.filter(({ isDetail }) => !isDetail).map(({ nowMs, who, what }) => `${nowMs} ${who} ${what}`)
    return createHash('sha256').update(noted.join('\n')).digest('hex')
  }

  toString(): string {
    return this.lines.map((line) => this.inWords(line)).join('\n')
  }

  private inWords({ nowMs, who, what }: Line): string {
    return `${(nowMs / 1000).toFixed(3).padStart(9)}s ${who.padEnd(12)} ${this.readable(what)}`
  }

  private readable(text: string): string {
    return text.replaceAll(uuid, (id) => this.names.get(id) ?? `${id.slice(0, 8)}…`)
  }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
