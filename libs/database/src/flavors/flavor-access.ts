import type { FlavorId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'

/** The projects that may use a flavor that is not public. */
export async function listFlavorAccess(db: Queryable, id: FlavorId): Promise<string[]> {
  const rows = await db.query<{ projectId: string }>(
    'SELECT project_id AS "projectId" FROM flavor_access WHERE flavor_id = $1 ORDER BY project_id',
    [id],
  )
  return rows.map(({ projectId }) => projectId)
}

/** False where the project has access already. */
export async function addFlavorAccess(db: Queryable, id: FlavorId, projectId: string): Promise<boolean> {
  // From the flavor's own row, held: one that is deleted meanwhile takes nobody in, and is no error of ours.
  const added = await db.execute(
    `INSERT INTO flavor_access (flavor_id, project_id) SELECT id, $2 FROM flavors WHERE id = $1 FOR KEY SHARE
     ON CONFLICT DO NOTHING`,
    [id, projectId],
  )
  return added > 0
}

/** False where the project had no access. */
export async function removeFlavorAccess(db: Queryable, id: FlavorId, projectId: string): Promise<boolean> {
  return (await db.execute('DELETE FROM flavor_access WHERE flavor_id = $1 AND project_id = $2', [id, projectId])) > 0
}
