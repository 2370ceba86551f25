import type { NetworkQuotaResource } from '@nubo/domain'
import type { Queryable, Transaction } from '../connection.js'
import { giveBackNetworkQuota } from './quota.js'

/** A VXLAN identifier that no network has. */
export async function nextVni(tx: Transaction): Promise<number> {
  for (;;) {
    const [row] = await tx.query<{ vni: number }>(
      `SELECT vni FROM (SELECT nextval('network_vni')::int AS vni) next
       WHERE NOT EXISTS (SELECT FROM networks n WHERE n.vni = next.vni)`,
    )
    if (row) return row.vni
  }
}

export async function isVniTaken(db: Queryable, vni: number): Promise<boolean> {
  return (await db.query('SELECT FROM networks WHERE vni = $1', [vni])).length > 0
}

/** Ports that the cloud made for itself: a network may be deleted with them. */
const ownOwners = ['network:dhcp']

/**
 * Deletes a network that is locked, with its subnets and the ports that nobody asked for; or nothing. Returns how many ports
 * others still have there. Ports that are gone, and are held for their hosts' sake alone, go with it: their addresses are
 * given to nobody without their network, and their hosts hear of it.
 */
export async function deleteNetwork(tx: Transaction, networkId: string): Promise<number> {
  const [inUse] = await tx.query<{ count: number }>(
    'SELECT count(*) AS count FROM ports WHERE network_id = $1 AND gone_at IS NULL AND device_owner <> ALL($2)',
    [networkId, ownOwners],
  )
  if (inUse!.count > 0) return inUse!.count
  await tx.execute(
    `INSERT INTO network_changes (subject, subject_id)
     SELECT DISTINCT 'host', host_id FROM ports WHERE network_id = $1 AND host_id IS NOT NULL`,
    [networkId],
  )
  // What is gone is not counted any more.
  const ports = await deleteCounted(
    tx,
    'DELETE FROM ports WHERE network_id = $1 RETURNING project_id, gone_at IS NULL AS counts',
    networkId,
  )
  const subnets = await deleteCounted(
    tx,
    'DELETE FROM subnets WHERE network_id = $1 RETURNING project_id, true AS counts',
    networkId,
  )
  const shares = await deleteCounted(
    tx,
    'DELETE FROM network_shares WHERE network_id = $1 RETURNING project_id, true AS counts',
    networkId,
  )
  const networks = await deleteCounted(tx, 'DELETE FROM networks WHERE id = $1 RETURNING project_id, true AS counts', networkId)
  for (const [resource, owners] of Object.entries({ port: ports, subnet: subnets, rbac_policy: shares, network: networks }))
    for (const [projectId, theirs] of Map.groupBy(owners, (owner) => owner))
      await giveBackNetworkQuota(tx, projectId, { [resource as NetworkQuotaResource]: theirs.length })
  return 0
}

/** Returns whose quota what was deleted is given back to. */
async function deleteCounted(tx: Transaction, statement: string, id: string): Promise<string[]> {
  const rows = await tx.query<{ project_id: string; counts: boolean }>(statement, [id])
  return rows.filter(({ counts }) => counts).map(({ project_id: projectId }) => projectId)
}
