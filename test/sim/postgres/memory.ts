import type { Heard } from './answers.js'
import { tablesWrittenBy } from './written.js'
import type { Versions } from './versions.js'

interface Remembered {
  version: number
  heard: Heard
}

/** What a statement that only reads was answered, by its parameters. */
export interface Reads {
  /** The tables that it names: whatever else is called so is one too many. */
  tables: readonly string[]
  answers: Map<string, Remembered>
}

/** What asks for the time, for chance or for PostgreSQL's own state is to be carried out. What locks reads as others do: there is one session. */
const notRepeated = /\bpg_|\bcurrent_|\blocal|\bset_|(now|timestamp|timeofday|random|uuid|val)\s*\(/i

/**
 * What is read again although nothing was written that it could show: a sweeper finds nothing round after round, a doctor asks
 * about what nobody touched. PostgreSQL would say the same again.
 */
export class Memory {
  private readonly used = new Set<Reads>()

  constructor(private readonly versions: Versions) {}

  /** Undefined for a statement that is to be carried out every time. */
  readsOf(text: string): Reads | undefined {
    if (!/^\s*(SELECT|WITH)\b/.test(text) || tablesWrittenBy(text).length > 0 || notRepeated.test(text)) return undefined
    const words = new Set(text.match(/\w+/g))
    return { tables: this.versions.tables.filter((table) => words.has(table)), answers: new Map() }
  }

  recall({ tables, answers }: Reads, key: string): Heard | undefined {
    const known = answers.get(key)
    return known && known.version === this.versions.of(tables) ? known.heard : undefined
  }

  keep(reads: Reads, key: string, heard: Heard): void {
    reads.answers.set(key, { version: this.versions.of(reads.tables), heard })
    this.used.add(reads)
  }

  forget(): void {
    for (const { answers } of this.used) answers.clear()
    this.used.clear()
  }
}
