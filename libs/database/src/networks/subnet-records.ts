import type { HostRoute, Ipv6Mode, PoolText } from '@nubo/domain'
import {
  address,
  boolean,
  integer,
  json,
  prefix,
  standardColumns,
  text,
  texts,
  uuid,
  type Records,
  type RowOf,
} from './records/index.js'

export const subnetRecords = {
  table: 'subnets',
  columns: {
    ...standardColumns,
    networkId: uuid('network_id'),
    name: text('name'),
    ipVersion: integer<4 | 6>('ip_version'),
    cidr: prefix('cidr'),
    gateway: address<string | null>('gateway'),
    dhcp: boolean('dhcp'),
    pools: json<PoolText[]>('pools'),
    dnsNameservers: texts('dns_nameservers'),
    hostRoutes: json<HostRoute[]>('host_routes'),
    raMode: text<Ipv6Mode | null>('ra_mode'),
    addressMode: text<Ipv6Mode | null>('address_mode'),
    subnetPoolId: uuid<string | null>('subnet_pool_id'),
    serviceTypes: texts('service_types'),
    dnsPublish: boolean('dns_publish'),
    tags: texts('tags'),
  },
  // Of a network that is shared as an external one the subnets are not shown.
  visible: `r.project_id = $1 OR EXISTS (SELECT FROM networks n WHERE n.id = r.network_id AND (n.project_id = $1 OR EXISTS (
    SELECT FROM network_shares s WHERE s.network_id = n.id AND s.action = 'access_as_shared' AND s.target_project IN ('*', $1))))`,
} satisfies Records

export type SubnetRow = RowOf<(typeof subnetRecords)['columns']>

export const subnetPoolRecords = {
  table: 'subnet_pools',
  columns: {
    ...standardColumns,
    name: text('name'),
    ipVersion: integer<4 | 6>('ip_version'),
    prefixes: texts('prefixes'),
    minPrefix: integer('min_prefix'),
    maxPrefix: integer('max_prefix'),
    defaultPrefix: integer('default_prefix'),
    defaultQuota: integer<number | null>('default_quota'),
    shared: boolean('shared'),
    isDefault: boolean('is_default'),
    tags: texts('tags'),
  },
  visible: 'r.project_id = $1 OR r.shared',
} satisfies Records

export type SubnetPoolRow = RowOf<(typeof subnetPoolRecords)['columns']>
