const known = new Map<string, readonly string[]>()
const writing = /(?:INSERT INTO|(?<!FOR |DO )UPDATE|DELETE FROM)\s+(\w+)/g

/** The tables that a statement writes, whatever it reads. */
export function tablesWrittenBy(text: string): readonly string[] {
  let tables = known.get(text)
  if (!tables) known.set(text, (tables = [...text.matchAll(writing)].map(([, table]) => table!)))
  return tables
}

/** True where no row means that nothing was written: a statement with a WITH counts the rows of its last part alone. */
export function countsWhatItWrites(text: string): boolean {
  return !/^\s*WITH\b/.test(text)
}
