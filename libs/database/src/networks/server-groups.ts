import { assertOneKind } from '@nubo/domain'
import type { ServerId } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'

const ports = 'SELECT id FROM ports WHERE server_id = $1 AND gone_at IS NULL'

/** Hosts of the group's members hear of it, and those of whoever names the group; and the server's own. */
const note = `
  INSERT INTO network_changes (subject, subject_id)
  SELECT 'group', $2 FROM changed UNION SELECT 'host', p.host_id FROM changed JOIN ports p ON p.id = changed.port_id WHERE p.host_id IS NOT NULL`

const lock = `${ports} ORDER BY id FOR NO KEY UPDATE`

const readKinds = `
  SELECT DISTINCT stateful FROM security_groups
  WHERE id = $2 OR id IN (SELECT m.group_id FROM port_security_groups m WHERE m.port_id IN (${ports}))`

const add = `
  WITH changed AS (
    INSERT INTO port_security_groups (port_id, group_id)
    SELECT id, $2::uuid FROM ports WHERE server_id = $1 AND gone_at IS NULL AND port_security_enabled
    ON CONFLICT DO NOTHING RETURNING port_id)
  ${note}`

/**
 * Puts every port of a server into a group that is held, but those without port security, which are in none. Returns how many
 * ports it has. Throws where they are in groups that cannot stand beside this one.
 */
export async function addGroupToServer(tx: Transaction, serverId: ServerId, groupId: string): Promise<number> {
  const locked = await tx.execute(lock, [serverId])
  assertOneKind(await tx.query<{ stateful: boolean }>(readKinds, [serverId, groupId]))
  await tx.execute(add, [serverId, groupId])
  return locked
}

const remove = `
  WITH changed AS (
    DELETE FROM port_security_groups WHERE group_id = $2::uuid AND port_id IN (${ports}) RETURNING port_id),
  noted AS (${note})
  SELECT count(*)::int AS ports FROM changed`

/** Takes every port of a server out of a group. Returns how many were in it. */
export async function removeGroupFromServer(tx: Transaction, serverId: ServerId, groupId: string): Promise<number> {
  const [row] = await tx.query<{ ports: number }>(remove, [serverId, groupId])
  return row!.ports
}

/** The ids of the groups that any port of a server is in. */
export async function readGroupsOfServer(db: Queryable, serverId: ServerId): Promise<string[]> {
  const statement = `SELECT DISTINCT group_id AS id FROM port_security_groups WHERE port_id IN (${ports}) ORDER BY group_id`
  return (await db.query<{ id: string }>(statement, [serverId])).map(({ id }) => id)
}
