import type { WantedAddress } from '@nubo/domain'
import { isUuid, newId, type HostId, type PortId, type Random } from '@nubo/kernel'
import type { Queryable, Transaction } from '../connection.js'
import { allocateAddresses, type GivenAddress } from './address-allocation.js'
import { noteNetworkChange } from './changes.js'

/** A port that is locked, as it is before it is changed. */
export interface LockedPort {
  id: string
  networkId: string
  projectId: string
  mac: string
  deviceOwner: string
  hostId: string | null
}

interface HeldAddress extends GivenAddress {
  /** Follows from the MAC; nobody asked for it. */
  automatic: boolean
}

const readHeld = `
  SELECT a.subnet_id AS "subnetId", host(a.address) AS address,
    s.address_mode IN ('slaac', 'dhcpv6-stateless') OR s.ra_mode IN ('slaac', 'dhcpv6-stateless') AS automatic
  FROM port_addresses a JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id = $1 ORDER BY a.position, a.address`

/**
 * Gives a port other addresses: `wanted`, or what it has where that is undefined, with those that follow from `port.mac`, which
 * may be new. Where one of a subnet is wanted and the port has one there, it keeps it. True where anything is different now.
 *
 * Addresses that a host carries and that are taken away stay held, as a port that is gone holds its own, until that host has
 * applied a plan without them. Throws as `allocateAddresses` does.
 */
export async function changeAddresses(
  tx: Transaction,
  port: LockedPort,
  wanted: readonly WantedAddress[] | undefined,
  random: Random,
): Promise<boolean> {
  const held = await tx.query<HeldAddress>(readHeld, [port.id])
  const chosen = held.filter(({ automatic }) => !automatic)
  const named = wanted ? keepWhereAny(wanted, chosen) : chosen
  // They are given again by the same transaction, so nobody else gets them in between.
  await tx.execute('DELETE FROM port_addresses WHERE port_id = $1', [port.id])
  const request = { portId: port.id, networkId: port.networkId, mac: port.mac, deviceOwner: port.deviceOwner, wanted: named }
  const given = (await allocateAddresses(tx, [request], random)).get(port.id) ?? []
  const taken = held.filter(({ address }) => !given.some((each) => each.address === address))
  await letGo(tx, port, taken, random)
  return taken.length > 0 || given.length !== held.length
}

/** Names the address where any of a subnet is wanted and one is there that is not wanted by its name. */
function keepWhereAny(wanted: readonly WantedAddress[], held: readonly HeldAddress[]): WantedAddress[] {
  const free = held.filter(({ address }) => !wanted.some((each) => each.address === address))
  return wanted.map((each) => {
    if (each.address !== undefined) return each
    const index = free.findIndex(({ subnetId }) => subnetId === each.subnetId)
    return index < 0 ? each : free.splice(index, 1)[0]!
  })
}

const hold = `
  WITH gone AS (
    INSERT INTO ports (id, network_id, project_id, mac, device_owner, host_id, gone_at)
    VALUES ($1::uuid, $2::uuid, $3, 'held ' || $1::uuid, $4, $5, clock_timestamp()) RETURNING id)
  INSERT INTO port_addresses (network_id, address, subnet_id, port_id, position)
  SELECT $2::uuid, taken.address, taken.subnet_id, gone.id, taken.position
  FROM gone, unnest($6::inet[], $7::uuid[]) WITH ORDINALITY AS taken(address, subnet_id, position)
  ON CONFLICT DO NOTHING`

const takeOffFloating = `
  WITH freed AS (
    SELECT id, router_id FROM floating_ips WHERE fixed_port_id = $1 AND fixed_address = ANY($2::inet[]) FOR UPDATE),
  changed AS (
    UPDATE floating_ips f SET fixed_port_id = NULL, fixed_address = NULL, router_id = NULL,
      revision_number = f.revision_number + 1, updated_at = clock_timestamp()
    FROM freed WHERE f.id = freed.id)
  INSERT INTO network_changes (subject, subject_id) SELECT DISTINCT 'router', router_id FROM freed WHERE router_id IS NOT NULL`

async function letGo(tx: Transaction, port: LockedPort, taken: readonly GivenAddress[], random: Random): Promise<void> {
  if (taken.length === 0) return
  const addresses = taken.map(({ address }) => address)
  await tx.execute(takeOffFloating, [port.id, addresses])
  if (port.hostId === null) return
  const subnetIds = taken.map(({ subnetId }) => subnetId)
  const { networkId, projectId, deviceOwner, hostId } = port
  await tx.execute(hold, [newId<PortId>(random), networkId, projectId, deviceOwner, hostId, addresses, subnetIds])
}

/** Puts a port into these groups, and out of all others. The groups are the caller's to check. */
export async function changeGroups(tx: Transaction, portId: string, groupIds: readonly string[]): Promise<void> {
  await tx.execute('DELETE FROM port_security_groups WHERE port_id = $1 AND group_id <> ALL($2::uuid[])', [portId, groupIds])
  await tx.execute(
    'INSERT INTO port_security_groups (port_id, group_id) SELECT DISTINCT $1::uuid, unnest($2::uuid[]) ON CONFLICT DO NOTHING',
    [portId, groupIds],
  )
}

/** Whoever carries the network, and whoever needs one of the groups, hears of a change of the port. */
export async function notePortChange(tx: Transaction, networkId: string, groupIds: Iterable<string>): Promise<void> {
  await noteNetworkChange(tx, 'network', networkId)
  await noteNetworkChange(tx, 'group', ...new Set(groupIds))
}

/** A server or router that has this id; undefined for a device that is none of ours. */
export interface NamedDevice {
  kind: 'server' | 'router'
  projectId: string
}

export async function findDevice(db: Queryable, id: string): Promise<NamedDevice | undefined> {
  if (!isUuid(id)) return undefined
  const [device] = await db.query<NamedDevice>(
    `SELECT 'server' AS kind, project_id AS "projectId" FROM servers WHERE id = $1 AND deleted_at IS NULL
     UNION ALL SELECT 'router', project_id FROM routers WHERE id = $1`,
    [id],
  )
  return device
}

/** Whether a floating IP still has this port. */
export async function isPortOfFloatingIp(db: Queryable, portId: string): Promise<boolean> {
  return (await db.query('SELECT FROM floating_ips WHERE port_id = $1', [portId])).length > 0
}

/** The id of the host with that name. */
export async function findHostByName(db: Queryable, name: string): Promise<HostId | undefined> {
  const [host] = await db.query<{ id: HostId }>('SELECT id FROM hosts WHERE name = $1', [name])
  return host?.id
}
