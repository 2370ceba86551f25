import { deviceOwners, type NetworkAmounts, type NetworkQuotaResource } from '@nubo/domain'
import type { Queryable, Transaction } from '../connection.js'
import { networkRecords } from './network-records.js'
import { giveBackNetworkQuota } from './quota.js'
import { lockRecord, type LockFor } from './records/index.js'

/** Locks a network, whoever sees it, for the sake of something that belongs to it: before that is locked itself. */
export async function lockNetwork(tx: Transaction, networkId: string, lockFor: LockFor): Promise<void> {
  await lockRecord(tx, networkRecords, { projectId: null, seesAll: true }, networkId, lockFor)
}

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

/** Ports that keep a network: neither the cloud's own, nor what holds an address that leads nowhere. */
const portsInTheWay = `
  SELECT count(*) AS count FROM ports p WHERE p.network_id = $1 AND p.gone_at IS NULL AND p.device_owner <> '${deviceOwners.dhcp}'
    AND NOT EXISTS (SELECT FROM floating_ips f WHERE f.port_id = p.id AND f.fixed_port_id IS NULL)`

const tellHosts = `
  INSERT INTO network_changes (subject, subject_id)
  SELECT DISTINCT 'host', host_id FROM ports WHERE network_id = $1 AND host_id IS NOT NULL`

/** What goes with a network, in an order in which nothing points to what is gone; a port that was deleted before counts no more. */
const deletions: readonly [NetworkQuotaResource, string][] = [
  ['floatingip', 'DELETE FROM floating_ips WHERE network_id = $1 RETURNING project_id, true AS counts'],
  ['port', 'DELETE FROM ports WHERE network_id = $1 RETURNING project_id, gone_at IS NULL AS counts'],
  ['subnet', 'DELETE FROM subnets WHERE network_id = $1 RETURNING project_id, true AS counts'],
  ['rbac_policy', 'DELETE FROM network_shares WHERE network_id = $1 RETURNING project_id, true AS counts'],
  ['network', 'DELETE FROM networks WHERE id = $1 RETURNING project_id, true AS counts'],
]

/**
 * Deletes a network that is locked, with its subnets and all that nobody uses; or nothing. Returns how many ports others still
 * have there. Ports that are gone, and are held for their hosts' sake alone, go with it: their addresses are given to nobody
 * without their network, and their hosts hear of it.
 */
export async function deleteNetwork(tx: Transaction, networkId: string): Promise<number> {
  const [inTheWay] = await tx.query<{ count: number }>(portsInTheWay, [networkId])
  if (inTheWay!.count > 0) return inTheWay!.count
  await tx.execute(tellHosts, [networkId])
  const freed: [NetworkQuotaResource, string][] = []
  for (const [resource, statement] of deletions) {
    const rows = await tx.query<{ project_id: string; counts: boolean }>(statement, [networkId])
    freed.push(...rows.filter(({ counts }) => counts).map((row) => [resource, row.project_id] as [NetworkQuotaResource, string]))
  }
  await giveBack(tx, freed)
  return 0
}

async function giveBack(tx: Transaction, freed: readonly [NetworkQuotaResource, string][]): Promise<void> {
  const byProject = Map.groupBy(freed, ([, projectId]) => projectId)
  for (const projectId of [...byProject.keys()].toSorted()) {
    const amounts: NetworkAmounts = {}
    for (const [resource] of byProject.get(projectId)!) amounts[resource] = (amounts[resource] ?? 0) + 1
    await giveBackNetworkQuota(tx, projectId, amounts)
  }
}
