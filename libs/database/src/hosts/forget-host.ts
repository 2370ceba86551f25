import type { HostId } from '@nubo/kernel'
import type { Database } from '../connection.js'

/** PostgreSQL's code for a row that others refer to. */
const foreignKeyViolation = '23503'

/** What became of a host that is to be forgotten. */
export type Forgotten = 'forgotten' | 'has servers' | 'has networks'

/**
 * Forgets a host, unless a server is on it or room of it is held, be it for a server that is gone, or it may still carry
 * routers, ports or addresses: until it has said that it does not, or is fenced. That a row refers to it is what the database
 * itself refuses, however requests race.
 */
export async function forgetHost(database: Database, id: HostId): Promise<Forgotten> {
  try {
    await database.execute('DELETE FROM hosts WHERE id = $1', [id])
    return 'forgotten'
  } catch (error) {
    const { code, table } = error as { code?: unknown; table?: string }
    if (code !== foreignKeyViolation) throw error
    return table === 'servers' || table === 'allocations' ? 'has servers' : 'has networks'
  }
}
