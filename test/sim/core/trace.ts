import { createHash } from 'node:crypto'
import type { Simulation } from './simulation.js'

/** What happened, as a person reads it; and its fingerprint, by which a replay is known to be the same. */
export class Trace {
  private readonly lines: string[] = []
  /** The lines that its fingerprint is of. */
  private readonly noted: string[] = []
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
    const line = this.line(who, what)
    this.noted.push(line)
    this.lines.push(line)
  }

  /** For a reader only: it is no part of the fingerprint. */
  detail(who: string, what: () => string): void {
    if (this.verbose) this.lines.push(this.line(who, `  ${what()}`))
  }

  get fingerprint(): string {
    return createHash('sha256').update(this.noted.join('')).digest('hex')
  }

  toString(): string {
    return this.lines.join('\n')
  }

  private line(who: string, what: string): string {
    return `${(this.simulation.nowMs / 1000).toFixed(3).padStart(9)}s ${who.padEnd(12)} ${this.readable(what)}`
  }

  private readable(text: string): string {
    return text.replaceAll(uuid, (id) => this.names.get(id) ?? `${id.slice(0, 8)}…`)
  }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
