import { networkError, newMac, type WantedAddress } from '@nubo/domain'
import type { HostId, PortId, Random, SecurityGroupId, ServerId } from '@nubo/kernel'
import { isForeignKeyViolation, type Transaction } from '../connection.js'
import { allocateAddresses, type GivenAddress } from './address-allocation.js'
import { defaultGroupAmounts, ensureDefaultGroup } from './default-group.js'
import { countNetworkUse, takeNetworkQuota } from './quota.js'

/** A port as it is asked for. What is left out is as Neutron has it. */
export interface NewPort {
  id: PortId
  networkId: string
  projectId: string
  name?: string
  description?: string
  /** One of ours where none is given. */
  mac?: string | undefined
  adminStateUp?: boolean
  deviceId?: string
  deviceOwner?: string
  /** Whose interface it is: only for who makes or unmakes servers, under the server's lock. */
  serverId?: ServerId
  /** Goes with its server. */
  madeForServer?: boolean
  /** By which the guest may tell the interface from others. */
  deviceTag?: string | undefined
  deviceIndex?: number
  hostId?: HostId | null
  vnicType?: string
  bindingProfile?: Record<string, unknown>
  portSecurityEnabled?: boolean
  allowedAddressPairs?: readonly unknown[]
  extraDhcpOptions?: readonly unknown[]
  dnsName?: string
  tags?: readonly string[]
  /** Undefined: the project's default group. Its own and shared ones are the caller's to check. */
  groups?: readonly string[] | undefined
  /** Undefined: what the network gives. */
  wanted?: readonly WantedAddress[] | undefined
}

export interface CreatedPort {
  id: PortId
  mac: string
  groups: readonly string[]
  addresses: readonly GivenAddress[]
}

/**
 * Makes ports with their addresses and groups, within their projects' quotas: all of them, or it throws and the transaction is
 * to be given up (NetworkNotFound, MacAddressInUse, SecurityGroupNotFound, what `allocateAddresses` says, OverQuota).
 *
 * Rows are taken in the order of this library's README: default group, ports, addresses, quota. Whoever takes of a quota for
 * something else in the same transaction does so afterwards.
 */
export async function createPorts(tx: Transaction, ports: readonly NewPort[], random: Random): Promise<CreatedPort[]> {
  const defaults = await ensureDefaultGroups(tx, ports, random)
  const grouped = ports.map((port) => ({ ...port, groups: port.groups ?? groupsOfNew(port, defaults) }))
  const macs = await insertPorts(tx, grouped, random)
  const requests = grouped.map(({ id, networkId, deviceOwner = '', wanted }) => ({
    ...{ portId: id, networkId, deviceOwner, wanted },
    mac: macs.get(id)!,
  }))
  const addresses = await allocateAddresses(tx, requests, random)
  await takeQuota(tx, ports, defaults)
  return grouped.map(({ id, groups }) => ({ id, groups, mac: macs.get(id)!, addresses: addresses.get(id) ?? [] }))
}

type DefaultGroups = ReadonlyMap<string, { id: SecurityGroupId; isNew: boolean }>

async function ensureDefaultGroups(tx: Transaction, ports: readonly NewPort[], random: Random): Promise<DefaultGroups> {
  const projects = new Set(ports.filter(wantsDefaultGroup).map(({ projectId }) => projectId))
  const groups = new Map<string, { id: SecurityGroupId; isNew: boolean }>()
  for (const projectId of [...projects].toSorted()) groups.set(projectId, await ensureDefaultGroup(tx, projectId, random))
  return groups
}

/** Ports of the network's own devices, which belong to nobody's group, and those without port security are in none. */
function wantsDefaultGroup({ groups, deviceOwner = '', portSecurityEnabled = true }: NewPort): boolean {
  return groups === undefined && portSecurityEnabled && !deviceOwner.startsWith('network:')
}

function groupsOfNew(port: NewPort, defaults: DefaultGroups): string[] {
  return wantsDefaultGroup(port) ? [defaults.get(port.projectId)!.id] : []
}

const insert = `
  WITH new AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS new(id uuid, network_id uuid, project_id text, name text, description text, mac text,
      admin_state_up boolean, device_id text, device_owner text, server_id uuid, made_for_server boolean, device_index int, device_tag text, host_id uuid, vnic_type text,
      binding_profile jsonb, port_security_enabled boolean, allowed_address_pairs jsonb, extra_dhcp_options jsonb, dns_name text,
      tags text[], groups uuid[])),
  port AS (
    INSERT INTO ports (id, network_id, project_id, name, description, mac, admin_state_up, device_id, device_owner, server_id,
      made_for_server, device_index, device_tag, host_id, vnic_type, binding_profile, port_security_enabled, allowed_address_pairs,
      extra_dhcp_options, dns_name, tags)
    SELECT id, network_id, project_id, name, description, mac, admin_state_up, device_id, device_owner, server_id,
      made_for_server, device_index, device_tag, host_id, vnic_type, binding_profile, port_security_enabled, allowed_address_pairs,
      extra_dhcp_options, dns_name, tags
    FROM new ORDER BY network_id, mac
    ON CONFLICT (network_id, mac) DO NOTHING RETURNING id, mac),
  membership AS (
    INSERT INTO port_security_groups (port_id, group_id)
    SELECT DISTINCT port.id, unnest(new.groups) FROM port JOIN new USING (id))
  SELECT id, mac FROM port`

/** Returns their MACs. A MAC that we made and that is taken already is made anew: of 16 million some meet. */
async function insertPorts(tx: Transaction, ports: readonly NewPort[], random: Random): Promise<Map<string, string>> {
  const macs = new Map<string, string>()
  let open = ports
  while (open.length > 0) {
    const rows = open.map((port) => ({ ...port, mac: port.mac ?? newMac(random) }))
    for (const { id, mac } of await tryInsert(tx, rows)) macs.set(id, mac)
    open = open.filter(({ id }) => !macs.has(id))
    const refused = open.find(({ mac }) => mac !== undefined)
    if (refused) throw macInUse(refused.networkId, refused.mac!)
  }
  return macs
}

async function tryInsert(tx: Transaction, ports: readonly (NewPort & { mac: string })[]): Promise<{ id: string; mac: string }[]> {
  try {
    return await tx.query<{ id: string; mac: string }>(insert, [JSON.stringify(ports.map(toRow))])
  } catch (error) {
    if (isForeignKeyViolation(error, 'ports_network_id_fkey'))
      throw networkError('NotFound', 'NetworkNotFound', `Network ${ports[0]!.networkId} could not be found.`)
    if (isForeignKeyViolation(error, 'port_security_groups_group_id_fkey'))
      throw networkError('NotFound', 'SecurityGroupNotFound', 'A security group of the port does not exist any more.')
    throw error
  }
}

export function macInUse(networkId: string, mac: string): Error {
  const message = `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`
  return networkError('Conflict', 'MacAddressInUse', message)
}

function toRow(port: NewPort & { mac: string }) {
  return {
    id: port.id,
    network_id: port.networkId,
    project_id: port.projectId,
    name: port.name ?? '',
    description: port.description ?? '',
    mac: port.mac,
    admin_state_up: port.adminStateUp ?? true,
    device_id: port.deviceId ?? '',
    device_owner: port.deviceOwner ?? '',
    server_id: port.serverId ?? null,
    made_for_server: port.madeForServer ?? false,
    device_index: port.deviceIndex ?? 0,
    device_tag: port.deviceTag ?? null,
    host_id: port.hostId ?? null,
    vnic_type: port.vnicType ?? 'normal',
    binding_profile: port.bindingProfile ?? {},
    port_security_enabled: port.portSecurityEnabled ?? true,
    allowed_address_pairs: port.allowedAddressPairs ?? [],
    extra_dhcp_options: port.extraDhcpOptions ?? [],
    dns_name: port.dnsName ?? '',
    tags: port.tags ?? [],
    groups: port.groups ?? [],
  }
}

async function takeQuota(tx: Transaction, ports: readonly NewPort[], defaults: DefaultGroups): Promise<void> {
  const ofProject = Map.groupBy(ports, ({ projectId }) => projectId)
  for (const projectId of [...ofProject.keys()].toSorted()) {
    if (defaults.get(projectId)?.isNew) await countNetworkUse(tx, projectId, defaultGroupAmounts)
    await takeNetworkQuota(tx, projectId, { port: ofProject.get(projectId)!.length })
  }
}
