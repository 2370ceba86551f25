/** What one rule asks of every host, in terms of the snapshot's columns. */
export type Test =
  | { kind: 'atLeast'; column: Float64Array; needed: number }
  | { kind: 'equal'; column: Float64Array; value: number }
  | { kind: 'each'; accepts: (row: number) => boolean }

/**
 * The rows that passed every test so far. One test after the other runs down the rows that are left: short loops over
 * one column, which is what makes ten thousand hosts cheap. Nothing is allocated for a host that is refused.
 */
export class Sieve {
  /** The rows that are left are the first `count`, in rising order. */
  rows = new Int32Array(0)
  count = 0
  /** Of the rows that the last test refused, the one that came nearest, or the first where nearness has no measure; -1 if none. */
  nearestRow = -1
  private everyRow = new Int32Array(0)

  /** Puts the rows 0 to `rowCount` - 1 in. */
  fill(rowCount: number): void {
    if (this.rows.length < rowCount) {
      this.everyRow = Int32Array.from({ length: rowCount * 2 }, (_, row) => row)
      this.rows = this.everyRow.slice()
    } else {
      this.rows.set(this.everyRow.subarray(0, rowCount))
    }
    this.count = rowCount
    this.nearestRow = -1
  }

  /** Keeps the rows that pass. */
  apply(test: Test): void {
    this.nearestRow = -1
    if (test.kind === 'atLeast') this.keepAtLeast(test.column, test.needed)
    else if (test.kind === 'equal') this.keepEqual(test.column, test.value)
    else this.keepEach(test.accepts)
  }

  private keepAtLeast(column: Float64Array, needed: number): void {
    const { rows, count } = this
    let kept = 0
    let nearestRow = -1
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const has = column[row]!
      // Written whether it stays or not: the processor has no branch to guess wrong.
      rows[kept] = row
      if (has >= needed) kept++
      else if (has > most) {
        most = has
        nearestRow = row
      }
    }
    this.count = kept
    this.nearestRow = nearestRow
  }

  private keepEqual(column: Float64Array, value: number): void {
    const { rows, count } = this
    let kept = 0
    let nearestRow = -1
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      if (column[row] === value) rows[kept++] = row
      else if (nearestRow < 0) nearestRow = row
    }
    this.count = kept
    this.nearestRow = nearestRow
  }

  private keepEach(accepts: (row: number) => boolean): void {
    const { rows, count } = this
    let kept = 0
    let nearestRow = -1
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      if (accepts(row)) rows[kept++] = row
      else if (nearestRow < 0) nearestRow = row
    }
    this.count = kept
    this.nearestRow = nearestRow
  }
}
