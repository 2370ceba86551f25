import type { Queryable } from '../connection.js'
import { hostIsAlive } from './services.js'

/** A host's program, as whoever operates its networks sees it. */
export interface NetworkAgentRow {
  /** Its host's. */
  id: string
  host: string
  enabled: boolean
  alive: boolean
  lastHeardAt: Date | null
  description: string
}

/** Of every host. `silenceMs`: for how long one may not be heard and is still taken for alive. */
export async function listNetworkAgents(db: Queryable, silenceMs: number): Promise<NetworkAgentRow[]> {
  return await db.query<NetworkAgentRow>(
    `SELECT h.id, h.name AS host, h.enabled, ${hostIsAlive} AS alive, h.last_heard_at AS "lastHeardAt",
       h.network_description AS description FROM hosts h ORDER BY h.name`,
    [silenceMs],
  )
}

export async function describeNetworkAgent(db: Queryable, id: string, description: string): Promise<void> {
  await db.execute('UPDATE hosts SET network_description = $2, updated_at = clock_timestamp() WHERE id = $1', [id, description])
}
