import type { HostId, PortId } from '@nubo/kernel'
import type { Transaction } from '../connection.js'
import { giveBackNetworkQuota } from './quota.js'

const noteChanges = `
  INSERT INTO network_changes (subject, subject_id)
  SELECT 'network', network_id FROM changed
  UNION SELECT 'group', g.group_id FROM port_security_groups g JOIN changed ON changed.id = g.port_id`

/** What was bound to a host and what is bound to it now both have to hear. */
const bind = `
  WITH changed AS (
    UPDATE ports SET host_id = $2, status = 'DOWN', plan_revision = NULL, updated_at = clock_timestamp()
    WHERE id = ANY($1::uuid[]) AND gone_at IS NULL AND host_id IS DISTINCT FROM $2 RETURNING id, network_id)
  ${noteChanges} UNION SELECT 'host', $2 FROM changed`

/** From now on that host carries these ports. To be called in the transaction that sends their server there. */
export async function bindPorts(tx: Transaction, portIds: readonly string[], hostId: HostId): Promise<void> {
  await tx.execute(bind, [portIds, hostId])
}

const unbind = `
  WITH before AS (
    SELECT id, network_id, host_id FROM ports WHERE id = ANY($1::uuid[]) AND gone_at IS NULL AND host_id IS NOT NULL
    ORDER BY id FOR UPDATE),
  changed AS (
    UPDATE ports p SET host_id = NULL, status = 'DOWN', plan_revision = NULL, updated_at = clock_timestamp()
    FROM before WHERE p.id = before.id RETURNING p.id, p.network_id)
  ${noteChanges} UNION SELECT 'host', host_id FROM before`

/** No host carries these ports any more: for what has no guest there, or whose guest is known to be destroyed. */
export async function unbindPorts(tx: Transaction, portIds: readonly string[]): Promise<void> {
  await tx.execute(unbind, [portIds])
}

interface Released {
  id: PortId
  projectId: string
}

/** Locked before they are read: what a port is bound to is judged on the row that goes. */
const lock = 'SELECT id FROM ports WHERE id = ANY($1::uuid[]) AND gone_at IS NULL ORDER BY id FOR UPDATE'

const release = `
  WITH changed AS (SELECT id, network_id, host_id, project_id FROM ports WHERE id = ANY($1::uuid[])),
  noted AS (
    ${noteChanges} UNION SELECT 'router', f.router_id FROM floating_ips f JOIN changed ON changed.id = f.fixed_port_id
    WHERE f.router_id IS NOT NULL),
  floating AS (
    UPDATE floating_ips f SET fixed_port_id = NULL, fixed_address = NULL, router_id = NULL,
      revision_number = f.revision_number + 1, updated_at = clock_timestamp()
    FROM changed WHERE f.fixed_port_id = changed.id),
  membership AS (DELETE FROM port_security_groups g USING changed WHERE g.port_id = changed.id),
  held AS (
    UPDATE ports p SET gone_at = clock_timestamp(), plan_revision = NULL
    FROM changed WHERE p.id = changed.id AND changed.host_id IS NOT NULL),
  deleted AS (DELETE FROM ports p USING changed WHERE p.id = changed.id AND changed.host_id IS NULL)
  SELECT id, project_id AS "projectId" FROM changed`

/**
 * Deletes ports for their tenants. One that no host carries goes at once; another stays, seen by nobody, with its addresses,
 * until its host has confirmed that it carries it no more. Those that are gone already are passed over. Returns those that
 * were there.
 */
export async function deletePorts(tx: Transaction, portIds: readonly string[]): Promise<PortId[]> {
  const locked = await tx.query<{ id: PortId }>(lock, [portIds])
  if (locked.length === 0) return []
  const released = await tx.query<Released>(release, [locked.map(({ id }) => id)])
  const byProject = Map.groupBy(released, ({ projectId }) => projectId)
  for (const projectId of [...byProject.keys()].toSorted())
    await giveBackNetworkQuota(tx, projectId, { port: byProject.get(projectId)!.length })
  return released.map(({ id }) => id)
}
