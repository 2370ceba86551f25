import type { Queryable } from '../connection.js'
import type { Finding } from './finding.js'

export interface CheckOptions {
  /** How long what is due may wait before somebody should have seen to it. */
  graceMs: number
  /** A host that was silent for so long while others were heard is not counted on to answer. */
  silenceMs: number
  /** Findings of one kind at the most: whoever has more sees the rest when these are mended. */
  limit: number
}

export const defaultCheckOptions: CheckOptions = { graceMs: 60_000, silenceMs: 30_000, limit: 100 }

/** One promise, or a part of it, held against the records. To be run within one snapshot with the others. */
export type RecordCheck = (db: Queryable, options: CheckOptions) => Promise<Finding[]>
