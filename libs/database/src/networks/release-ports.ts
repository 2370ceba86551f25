import type { HostId, PortId } from '@nubo/kernel'
import type { Transaction } from '../connection.js'
import { changesOf, routersWithout, withoutPorts } from './gone-ports.js'

const bind = `
  WITH port AS (
    UPDATE ports SET host_id = $2, status = 'DOWN', plan_revision = NULL, updated_at = clock_timestamp()
    WHERE id = ANY($1::uuid[]) AND gone_at IS NULL AND host_id IS DISTINCT FROM $2 RETURNING id, network_id, host_id)
  INSERT INTO network_changes (subject, subject_id) ${changesOf('port')}`

/** From now on that host carries these ports. To be called in the transaction that sends their server there. */
export async function bindPorts(tx: Transaction, portIds: readonly string[], hostId: HostId): Promise<void> {
  await tx.execute(bind, [portIds, hostId])
}

const unbind = `
  WITH port AS (
    SELECT id, network_id, host_id FROM ports WHERE id = ANY($1::uuid[]) AND gone_at IS NULL AND host_id IS NOT NULL
    ORDER BY id FOR UPDATE),
  unbound AS (
    UPDATE ports p SET host_id = NULL, status = 'DOWN', plan_revision = NULL, updated_at = clock_timestamp()
    FROM port WHERE p.id = port.id)
  INSERT INTO network_changes (subject, subject_id) ${changesOf('port')}`

/** No host carries these ports any more: for what has no guest there, or whose guest is known to be destroyed. */
export async function unbindPorts(tx: Transaction, portIds: readonly string[]): Promise<void> {
  await tx.execute(unbind, [portIds])
}

const lock = 'SELECT id FROM ports WHERE id = ANY($1::uuid[]) AND gone_at IS NULL ORDER BY id FOR UPDATE'

const release = `
  WITH port AS (SELECT id, project_id, network_id, host_id, gone_at FROM ports WHERE id = ANY($1::uuid[])), ${withoutPorts},
  held AS (
    UPDATE ports p SET gone_at = clock_timestamp(), plan_revision = NULL
    FROM port WHERE p.id = port.id AND port.host_id IS NOT NULL),
  deleted AS (DELETE FROM ports p USING port WHERE p.id = port.id AND port.host_id IS NULL)
  INSERT INTO network_changes (subject, subject_id) ${changesOf('port')} UNION ${routersWithout}`

/**
 * Deletes ports for their tenants. One that no host carries goes at once; another stays, seen by nobody, with its addresses,
 * until its host has confirmed that it carries it no more. Those that are gone already are passed over. Returns those that
 * were there.
 */
export async function deletePorts(tx: Transaction, portIds: readonly string[]): Promise<PortId[]> {
  const locked = await tx.query<{ id: PortId }>(lock, [portIds])
  const ids = locked.map(({ id }) => id)
  if (ids.length > 0) await tx.execute(release, [ids])
  return ids
}
