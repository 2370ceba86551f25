/** When tables were written last, by a count of writes: what was read before is good for as long as it is the same. */
export class Versions {
  private count = 0
  private readonly last = new Map<string, number>()
  /** Since the session was outside of a transaction: what may yet be rolled back. */
  private readonly open = new Set<string>()
  private readonly written = new Set<string>()
  private readonly reached = new Map<string, readonly string[]>()

  /** @param follows which tables a row that is deleted or changes in one takes along, by the table. */
  constructor(
    readonly tables: readonly string[],
    private readonly follows: ReadonlyMap<string, readonly string[]>,
  ) {
    for (const table of tables) this.written.add(table)
  }

  /** A statement wrote these, or may have. */
  noteWrite(tables: readonly string[]): void {
    for (const table of tables) {
      for (const each of this.reachOf(table)) {
        this.last.set(each, ++this.count)
        this.open.add(each)
        this.written.add(each)
      }
    }
  }

  /** All that was written in the transaction that is open may be again as it was. */
  noteUndone(): void {
    for (const table of this.open) this.last.set(table, ++this.count)
  }

  /** The session is in no transaction, whichever way the last one ended. */
  noteEnd(): void {
    if (this.open.size === 0) return
    this.noteUndone()
    this.open.clear()
  }

  /** What all of these tables together are at. */
  of(tables: readonly string[]): number {
    let newest = 0
    for (const table of tables) newest = Math.max(newest, this.last.get(table) ?? 0)
    return newest
  }

  /** All that was written since this was asked the last time. */
  takeWritten(): ReadonlySet<string> {
    const taken = new Set(this.written)
    this.written.clear()
    return taken
  }

  private reachOf(table: string): readonly string[] {
    let reached = this.reached.get(table)
    if (!reached) this.reached.set(table, (reached = this.findReach(table)))
    return reached
  }

  private findReach(table: string): string[] {
    const reached = new Set([table])
    // Those that are found on the way are gone through too.
    for (const each of reached) for (const follower of this.follows.get(each) ?? []) reached.add(follower)
    return [...reached]
  }
}
