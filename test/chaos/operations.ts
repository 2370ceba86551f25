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
