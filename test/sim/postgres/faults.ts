/** For each statement, how likely each of these is. */
export interface StatementFaults {
  /** 'could not serialize access': the transaction is to be run again. */
  serializationFailure: number
  deadlock: number
  /** The connection ends before PostgreSQL has the statement. */
  lostBefore: number
  /** It ends after the statement was carried out, and before its answer came: a commit is in doubt. */
  lostAfter: number
  /** The answer takes seconds. */
  slow: number
}

export const noStatementFaults: StatementFaults = {
  serializationFailure: 0,
  deadlock: 0,
  lostBefore: 0,
  lostAfter: 0,
  slow: 0,
}

/** As PostgreSQL and node-postgres say them. */
export const failures = {
  serializationFailure: () => withCode('could not serialize access due to concurrent update', '40001'),
  deadlock: () => withCode('deadlock detected', '40P01'),
  lost: () => new Error('Connection terminated unexpectedly'),
  refused: () => withCode('connect ECONNREFUSED', 'ECONNREFUSED'),
  aborted: () => withCode('current transaction is aborted, commands ignored until end of transaction block', '25P02'),
  noConnection: () => new Error('timeout exceeded when trying to connect'),
}

function withCode(message: string, code: string): Error {
  return Object.assign(new Error(message), { code })
}
