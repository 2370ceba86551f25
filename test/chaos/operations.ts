import type { World } from './world.js'

export interface OperationCount {
  kind: string
  state: string
  count: number
  longestSeconds: number
}

/** Every operation of the run, those included that the cloud began by itself. */
export async function countOperations(world: World): Promise<OperationCount[]> {
  return await world.database.query<OperationCount>(
    `SELECT kind, state, count(*)::int AS count, max(extract(epoch FROM finished_at - started_at))::float8 AS "longestSeconds"
     FROM operations GROUP BY kind, state ORDER BY kind, state`,
  )
}

export interface FailureCount {
  kind: string
  message: string
  count: number
}

/** Why operations failed, the commonest first; ids and numbers that differ in each are left out. */
export async function countFailures(world: World): Promise<FailureCount[]> {
  return await world.database.query<FailureCount>(
    `SELECT kind, regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g') AS message, count(*)::int AS count
     FROM operations WHERE state = 'failed' GROUP BY 1, 2 ORDER BY count DESC, kind, message`,
  )
}
