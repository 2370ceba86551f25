import type { HostId, PortId, ServerId } from '@nubo/kernel'
import type { Transaction } from '../connection.js'
import { changesOf, routersWithout, withoutPorts } from './gone-ports.js'

// The ports of servers: their life with the server that they are interfaces of. To be called under the server's lock.

/** What ports become that are free again, for another server or for none. */
const free = `server_id = NULL, device_id = '', device_owner = '', device_index = 0, device_tag = NULL, host_id = NULL,
  plan_revision = NULL, status = 'DOWN', revision_number = revision_number + 1, updated_at = clock_timestamp()`

const release = (condition: string) => `
  WITH held AS (
    SELECT id, project_id, network_id, host_id, gone_at, made_for_server FROM ports WHERE server_id = $1 ${condition}),
  port AS (SELECT * FROM held WHERE made_for_server OR gone_at IS NOT NULL), ${withoutPorts},
  deleted AS (DELETE FROM ports USING port WHERE ports.id = port.id),
  freed AS (UPDATE ports SET ${free} FROM held WHERE ports.id = held.id AND NOT held.made_for_server AND held.gone_at IS NULL)
  INSERT INTO network_changes (subject, subject_id) ${changesOf('held')} UNION ${routersWithout}`

/** A port as the API makes it with the server that it is an interface of. */
export function portOfServer(serverId: ServerId, deviceIndex: number) {
  return { serverId, deviceId: serverId, deviceOwner: 'compute:nova', madeForServer: true, deviceIndex }
}

const take = `
  UPDATE ports SET server_id = $2::uuid, device_id = ($2::uuid)::text, device_owner = 'compute:nova', made_for_server = false, device_index = $3,
    device_tag = $4, host_id = $5, plan_revision = NULL,
    revision_number = revision_number + 1, updated_at = clock_timestamp()
  WHERE id = $1 AND gone_at IS NULL AND server_id IS NULL AND device_id = ''`

export interface TakenPort {
  portId: string
  serverId: ServerId
  deviceIndex: number
  tag: string | undefined
  /** Of the server, where it is on one. */
  hostId: HostId | null
}

/** Makes a port of the tenant's own an interface of a server. False where something else uses it, or it is gone. */
export async function takePort(tx: Transaction, { portId, serverId, deviceIndex, tag, hostId }: TakenPort): Promise<boolean> {
  return (await tx.execute(take, [portId, serverId, deviceIndex, tag ?? null, hostId])) > 0
}

/** The server whose interface a port is, if it is one's. */
export async function serverOfPort(tx: Transaction, portId: PortId): Promise<ServerId | undefined> {
  const [row] = await tx.query<{ serverId: ServerId | null }>('SELECT server_id AS "serverId" FROM ports WHERE id = $1', [portId])
  return row?.serverId ?? undefined
}

/** Of the next interface of a server. */
export async function nextDeviceIndex(tx: Transaction, serverId: ServerId): Promise<number> {
  const [row] = await tx.query<{ next: number }>(
    'SELECT COALESCE(max(device_index) + 1, 0) AS next FROM ports WHERE server_id = $1',
    [serverId],
  )
  return row!.next
}

/** To be called when a port was made, or taken, for a server that is on a host already: the hosts are told of it. */
export async function notePortBound(tx: Transaction, portId: string): Promise<void> {
  await tx.execute(
    `WITH bound AS (UPDATE ports SET status = 'BUILD' WHERE id = $1 RETURNING network_id)
     INSERT INTO network_changes (subject, subject_id)
     SELECT 'network', network_id FROM bound
     UNION SELECT 'group', group_id FROM port_security_groups WHERE port_id = $1`,
    [portId],
  )
}

const lock = (condition: string) => `SELECT FROM ports WHERE server_id = $1 ${condition} ORDER BY id FOR UPDATE`

/** Of a server that lies on no host any more: deletes the ports that were made for it, and frees the others. */
export async function releaseServerPorts(tx: Transaction, serverId: ServerId): Promise<void> {
  await tx.execute(lock(''), [serverId])
  await tx.execute(release(''), [serverId])
}

/** As `releaseServerPorts`, of one port, which its guest has let go of. */
export async function releaseServerPort(tx: Transaction, serverId: ServerId, portId: PortId): Promise<void> {
  await tx.execute(lock('AND id = $2'), [serverId, portId])
  await tx.execute(release('AND id = $2'), [serverId, portId])
}

const madeAndThere = 'AND made_for_server AND gone_at IS NULL'
const giveUp = `
  WITH port AS (SELECT id, project_id, network_id, host_id, gone_at FROM ports WHERE server_id = $1 ${madeAndThere}), ${withoutPorts},
  gone AS (
    UPDATE ports SET gone_at = clock_timestamp(), plan_revision = NULL FROM port WHERE ports.id = port.id)
  INSERT INTO network_changes (subject, subject_id) ${changesOf('port')} UNION ${routersWithout}`

/**
 * Of a server that is gone for its tenant while something of it may lie on its host: the ports that were made for it go with it,
 * and their addresses stay held until that host carries them no more. Those of the tenant's own stay the server's until then.
 */
export async function giveUpServerPorts(tx: Transaction, serverId: ServerId): Promise<void> {
  await tx.execute(lock(madeAndThere), [serverId])
  await tx.execute(giveUp, [serverId])
}

/** The ports' CTE of the statement that claims room: the server's ports are the host's to carry from now on. */
export const bindingPorts = (server: string, host: string) => `
  bound AS (
    UPDATE ports SET host_id = ${host}.id, plan_revision = NULL, status = 'BUILD', updated_at = clock_timestamp()
    FROM ${host} WHERE server_id = ${server} AND gone_at IS NULL RETURNING ports.id, network_id),
  port_changes AS (
    INSERT INTO network_changes (subject, subject_id)
    SELECT 'network', network_id FROM bound
    UNION SELECT 'group', g.group_id FROM port_security_groups g JOIN bound ON g.port_id = bound.id)`

/**
 * The ports' CTEs of the statement that frees room, which the CTE `freed` returned: where the server is off its host by it,
 * so are its ports, which it keeps.
 */
export const unbindingPorts = `
  unbound AS (
    UPDATE ports p SET host_id = NULL, plan_revision = NULL, status = 'DOWN', updated_at = clock_timestamp()
    FROM freed f JOIN servers v ON v.id = f.server_id AND v.incarnation = f.incarnation
    WHERE p.server_id = f.server_id AND p.host_id = f.host_id AND p.gone_at IS NULL RETURNING p.network_id),
  port_changes AS (
    INSERT INTO network_changes (subject, subject_id)
    SELECT 'network', network_id FROM unbound UNION SELECT 'host', f.host_id FROM freed f, unbound)`
