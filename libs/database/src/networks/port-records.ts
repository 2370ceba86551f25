import { canonicalAddress, canonicalMac, invalidInput, type AddressPair, type DhcpOption } from '@nubo/domain'
import type { GivenAddress } from './address-allocation.js'
import {
  boolean,
  integer,
  json,
  standardColumns,
  text,
  texts,
  uuid,
  worked,
  type Bind,
  type Records,
  type RowOf,
} from './records/index.js'
import { isUuid } from '@nubo/kernel'

const addressesOfPort = `(
  SELECT COALESCE(jsonb_agg(jsonb_build_object('subnetId', a.subnet_id, 'address', host(a.address)) ORDER BY a.position, a.address), '[]')
  FROM port_addresses a WHERE a.port_id = r.id)`

const groupsOfPort = 'ARRAY(SELECT g.group_id FROM port_security_groups g WHERE g.port_id = r.id ORDER BY g.group_id)'

/** `ip_address=10.0.0.5`, `subnet_id=...`, `ip_address_substr=10.0.`: of one kind any, of each kind one. */
function hasAddress(values: readonly string[], bind: Bind): string {
  const kinds = Map.groupBy(
    values.map((value) => [value.slice(0, value.indexOf('=')), value.slice(value.indexOf('=') + 1)] as const),
    ([kind]) => kind,
  )
  const conditions = [...kinds].map(([kind, pairs]) =>
    addressCondition(
      kind,
      pairs.map(([, value]) => value),
      bind,
    ),
  )
  return `EXISTS (SELECT FROM port_addresses a WHERE a.port_id = r.id AND ${conditions.join(' AND ')})`
}

function addressCondition(kind: string, values: readonly string[], bind: Bind): string {
  switch (kind) {
    case 'ip_address':
      return `host(a.address) = ANY(${bind(
        values.map((value) => canonicalAddress(value) ?? value),
        'text[]',
      )})`
    case 'subnet_id':
      return `a.subnet_id = ANY(${bind(values.filter(isUuid), 'uuid[]')})`
    case 'ip_address_substr':
      return `EXISTS (SELECT FROM unnest(${bind(values, 'text[]')}) part WHERE strpos(host(a.address), part) > 0)`
    default:
      throw invalidInput(`fixed_ips: 'ip_address', 'ip_address_substr' and 'subnet_id' can be asked for, and not '${kind}'`)
  }
}

const isInGroup = (values: readonly string[], bind: Bind) =>
  `EXISTS (SELECT FROM port_security_groups g WHERE g.port_id = r.id AND g.group_id = ANY(${bind(values.filter(isUuid), 'uuid[]')}))`

const hasMac = (values: readonly string[], bind: Bind) =>
  `r.mac = ANY(${bind(
    values.map((value) => canonicalMac(value) ?? value),
    'text[]',
  )})`

export const portRecords = {
  table: 'ports',
  columns: {
    ...standardColumns,
    networkId: uuid<string>('network_id'),
    name: text<string>('name'),
    mac: { ...text<string>('mac'), matches: hasMac },
    adminStateUp: boolean('admin_state_up'),
    status: text<string>('status'),
    deviceId: text<string>('device_id'),
    deviceOwner: text<string>('device_owner'),
    deviceIndex: integer<number>('device_index'),
    hostId: uuid<string | null>('host_id'),
    vnicType: text<string>('vnic_type'),
    bindingProfile: json<Record<string, unknown>>('binding_profile'),
    portSecurityEnabled: boolean('port_security_enabled'),
    allowedAddressPairs: json<AddressPair[]>('allowed_address_pairs'),
    extraDhcpOptions: json<DhcpOption[]>('extra_dhcp_options'),
    dnsName: text<string>('dns_name'),
    tags: texts('tags'),
    fixedAddresses: worked<GivenAddress[]>('jsonb', addressesOfPort, hasAddress),
    groupIds: worked<string[]>('uuid[]', groupsOfPort, isInGroup),
    /** A server's port has its server's name where it has none of its own. */
    shownDnsName: worked<string>(
      'text',
      `COALESCE(NULLIF(r.dns_name, ''), (SELECT v.hostname FROM servers v WHERE v.id = r.server_id), '')`,
    ),
    hostName: worked<string | null>('text', '(SELECT h.name FROM hosts h WHERE h.id = r.host_id)'),
    networkProjectId: worked<string>('text', '(SELECT n.project_id FROM networks n WHERE n.id = r.network_id)'),
    networkDnsDomain: worked<string>('text', '(SELECT n.dns_domain FROM networks n WHERE n.id = r.network_id)'),
  },
  // Whose network it is sees who is in it.
  visible: 'r.project_id = $1 OR EXISTS (SELECT FROM networks n WHERE n.id = r.network_id AND n.project_id = $1)',
  where: 'r.gone_at IS NULL',
} satisfies Records

export type PortRecord = RowOf<(typeof portRecords)['columns']>
