import {
  active,
  boolean,
  integer,
  standardColumns,
  text,
  texts,
  uuid,
  worked,
  type Records,
  type RowOf,
} from './records/index.js'

/** Shares of the network `r` with the project `$1`, or with all. */
const sharedWithViewer = (actions: string) =>
  `EXISTS (SELECT FROM network_shares s WHERE s.network_id = r.id AND s.action IN (${actions}) AND s.target_project IN ('*', $1))`

export const networkRecords = {
  table: 'networks',
  columns: {
    ...standardColumns,
    name: text('name'),
    adminStateUp: boolean('admin_state_up'),
    mtu: integer('mtu'),
    external: boolean('external'),
    isDefault: boolean('is_default'),
    networkType: text<'vxlan' | 'flat'>('network_type'),
    physicalNetwork: text<string | null>('physical_network'),
    vni: integer<number | null>('vni'),
    portSecurityEnabled: boolean('port_security_enabled'),
    dnsDomain: text('dns_domain'),
    zoneHints: texts('zone_hints'),
    tags: texts('tags'),
    shared: worked<boolean>('boolean', sharedWithViewer(`'access_as_shared'`)),
    status: active,
    subnetIds: worked<string[]>(
      'uuid[]',
      'ARRAY(SELECT s.id FROM subnets s WHERE s.network_id = r.id ORDER BY s.created_at, s.id)',
    ),
  },
  visible: `r.project_id = $1 OR ${sharedWithViewer(`'access_as_shared', 'access_as_external'`)}`,
} satisfies Records

export type NetworkRow = RowOf<(typeof networkRecords)['columns']>

export const shareRecords = {
  table: 'network_shares',
  columns: {
    id: standardColumns.id,
    projectId: standardColumns.projectId,
    networkId: uuid('network_id'),
    action: text<'access_as_shared' | 'access_as_external'>('action'),
    targetProject: text('target_project'),
    objectType: worked<'network'>('text', `'network'`),
  },
  // Whom a network is shared with sees that it is, by the share of their own.
  visible: `r.project_id = $1 OR r.target_project = $1`,
  isRevised: false,
} satisfies Records

export type ShareRow = RowOf<(typeof shareRecords)['columns']>
