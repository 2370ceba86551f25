import type { HostId } from '@nubo/kernel'
import type { Database } from '../connection.js'

/** PostgreSQL's code for a row that others refer to. */
const foreignKeyViolation = '23503'

/**
 * Forgets a host. False where a server is on it or room of it is held, be it for a server that is gone: that a row refers to
 * it is what the database itself refuses, however requests race. Its routers and what it still held of ports that are gone
 * are nobody's from then on, and are placed anew and freed as all such are.
 */
export async function forgetHost(database: Database, id: HostId): Promise<boolean> {
  try {
    await database.execute('DELETE FROM hosts WHERE id = $1', [id])
    return true
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === foreignKeyViolation) return false
    throw error
  }
}
