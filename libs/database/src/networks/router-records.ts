import type { HostRoute } from '@nubo/domain'
import {
  active,
  address,
  boolean,
  json,
  standardColumns,
  text,
  texts,
  uuid,
  worked,
  type Records,
  type RowOf,
} from './records/index.js'

export interface RouterGateway {
  networkId: string
  fixedIps: { subnet_id: string; ip_address: string }[]
}

const gateway = `(
  SELECT jsonb_build_object('networkId', p.network_id, 'fixedIps', COALESCE((
    SELECT jsonb_agg(jsonb_build_object('subnet_id', a.subnet_id, 'ip_address', host(a.address)) ORDER BY a.position)
    FROM port_addresses a WHERE a.port_id = p.id), '[]'))
  FROM ports p WHERE p.id = r.gateway_port_id)`

export const routerRecords = {
  table: 'routers',
  columns: {
    ...standardColumns,
    name: text('name'),
    adminStateUp: boolean('admin_state_up'),
    gatewayPortId: uuid<string | null>('gateway_port_id'),
    snat: boolean('snat'),
    routes: json<HostRoute[]>('routes'),
    zoneHints: texts('zone_hints'),
    tags: texts('tags'),
    gateway: worked<RouterGateway | null>('jsonb', gateway),
    status: active,
    /** Who carries it, or may still. */
    hostIds: worked<string[]>('uuid[]', 'array_remove(ARRAY[r.host_id, r.left_host_id], NULL)'),
  },
  visible: 'r.project_id = $1',
} satisfies Records

export type RouterRow = RowOf<(typeof routerRecords)['columns']>

/** What is told of the port that a floating IP leads to. */
export interface FixedPort {
  name: string
  network_id: string
  mac_address: string
  admin_state_up: boolean
  status: string
  device_id: string
  device_owner: string
}

const fixedPort = `(
  SELECT jsonb_build_object('name', p.name, 'network_id', p.network_id, 'mac_address', p.mac, 'admin_state_up', p.admin_state_up,
    'status', p.status, 'device_id', p.device_id, 'device_owner', p.device_owner)
  FROM ports p WHERE p.id = r.fixed_port_id)`

export const floatingIpRecords = {
  table: 'floating_ips',
  columns: {
    ...standardColumns,
    portId: uuid('port_id'),
    address: address('address'),
    networkId: uuid('network_id'),
    fixedPortId: uuid<string | null>('fixed_port_id'),
    fixedAddress: address<string | null>('fixed_address'),
    routerId: uuid<string | null>('router_id'),
    dnsName: text('dns_name'),
    dnsDomain: text('dns_domain'),
    tags: texts('tags'),
    status: worked<string>('text', `CASE WHEN r.fixed_port_id IS NULL THEN 'DOWN' ELSE 'ACTIVE' END`),
    fixedPort: worked<FixedPort | null>('jsonb', fixedPort),
  },
  visible: 'r.project_id = $1',
} satisfies Records

export type FloatingIpRow = RowOf<(typeof floatingIpRecords)['columns']>
