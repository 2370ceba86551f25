import { boolean, integer, standardColumns, text, texts, uuid, worked, type Records, type RowOf } from './records/index.js'

export const securityGroupRuleRecords = {
  table: 'security_group_rules',
  columns: {
    ...standardColumns,
    groupId: uuid<string>('group_id'),
    direction: text<'ingress' | 'egress'>('direction'),
    ethertype: text<'IPv4' | 'IPv6'>('ethertype'),
    protocol: text<string | null>('protocol'),
    portRangeMin: integer<number | null>('port_range_min'),
    portRangeMax: integer<number | null>('port_range_max'),
    remoteIpPrefix: text<string | null>('remote_ip_prefix'),
    normalizedPrefix: worked<string | null>('text', 'text(network(r.remote_ip_prefix::inet))'),
    remoteGroupId: uuid<string | null>('remote_group_id'),
    groupProjectId: worked<string>('text', '(SELECT g.project_id FROM security_groups g WHERE g.id = r.group_id)'),
    ofDefaultGroup: worked<boolean>('boolean', '(SELECT g.is_default FROM security_groups g WHERE g.id = r.group_id)'),
  },
  visible: 'r.project_id = $1 OR EXISTS (SELECT FROM security_groups g WHERE g.id = r.group_id AND g.project_id = $1)',
} satisfies Records

export type SecurityGroupRuleRow = RowOf<(typeof securityGroupRuleRecords)['columns']>

/** A group's rules, as they are read with it: times come as texts. */
export type RuleOfGroup = Omit<SecurityGroupRuleRow, 'createdAt' | 'updatedAt' | 'normalizedPrefix'> & {
  createdAt: string
  updatedAt: string
}

const rulesOfGroup = `(
  SELECT COALESCE(jsonb_agg(jsonb_build_object('id', s.id, 'projectId', s.project_id, 'description', s.description,
    'revisionNumber', s.revision_number, 'createdAt', s.created_at, 'updatedAt', s.updated_at, 'groupId', s.group_id,
    'direction', s.direction, 'ethertype', s.ethertype, 'protocol', s.protocol, 'portRangeMin', s.port_range_min,
    'portRangeMax', s.port_range_max, 'remoteIpPrefix', s.remote_ip_prefix, 'remoteGroupId', s.remote_group_id,
    'groupProjectId', r.project_id, 'ofDefaultGroup', r.is_default) ORDER BY s.created_at, s.id), '[]')
  FROM security_group_rules s WHERE s.group_id = r.id)`

export const securityGroupRecords = {
  table: 'security_groups',
  columns: {
    ...standardColumns,
    name: text<string>('name'),
    isDefault: boolean('is_default'),
    stateful: boolean('stateful'),
    tags: texts('tags'),
    rules: worked<RuleOfGroup[]>('jsonb', rulesOfGroup),
  },
  visible: 'r.project_id = $1',
} satisfies Records

export type SecurityGroupRow = RowOf<(typeof securityGroupRecords)['columns']>
