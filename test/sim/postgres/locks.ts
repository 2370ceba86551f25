const lock = /\sFOR\s+(?:(?:NO KEY )?UPDATE|(?:KEY )?SHARE)\b(?:\s+OF\s+\w+(?:,\s*\w+)*)?(?:\s+SKIP LOCKED|\s+NOWAIT)?/g

/**
 * A statement without the locks that it takes on rows: there is one session, and nobody that they would keep out. PostgreSQL
 * writes each of them to its row.
 */
export function withoutLocks(text: string): string {
  return text.replaceAll(lock, '')
}
