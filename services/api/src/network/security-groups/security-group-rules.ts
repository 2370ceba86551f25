import { securityGroupRuleRecords, type RuleOfGroup, type SecurityGroupRuleRow } from '@nubo/database'
import { parsePrefix, printPrefix } from '@nubo/domain'
import { secondsTimestamp } from '@nubo/wire'
import { z } from 'zod'
import { oneOf, shortText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes } from '../base/standard-attributes.js'

const longestId = 36

/** Anything: what is wrong with it has a name of its own, which `readRule` says. */
const readLater = z.json()

const normalizedPrefix = ({ remoteIpPrefix }: Pick<SecurityGroupRuleRow, 'remoteIpPrefix'>) =>
  remoteIpPrefix === null ? null : printPrefix(parsePrefix(remoteIpPrefix)!)

/** https://docs.openstack.org/api-ref/network/v2/#security-group-rules-security-group-rules */
export const securityGroupRules = resource({
  singular: 'security_group_rule',
  plural: 'security_group_rules',
  exceptionName: 'SecurityGroupRule',
  words: 'Security group rule',
  absence: 'does not exist',
  records: securityGroupRuleRecords,
  attributes: {
    ...standardAttributes,
    // An id that is none is the id of nothing: a 404.
    security_group_id: { column: 'groupId', input: shortText(longestId), on: 'create', required: true },
    direction: { column: 'direction', input: oneOf('ingress', 'egress'), on: 'create', required: true },
    ethertype: { column: 'ethertype', input: readLater, on: 'create', default: 'IPv4' },
    protocol: { column: 'protocol', input: readLater, on: 'create', default: null },
    port_range_min: { column: 'portRangeMin', input: readLater, on: 'create', default: null },
    port_range_max: { column: 'portRangeMax', input: readLater, on: 'create', default: null },
    remote_ip_prefix: { column: 'remoteIpPrefix', input: readLater, on: 'create', default: null },
    remote_group_id: { column: 'remoteGroupId', input: shortText(longestId).nullable(), on: 'create', default: null },
    remote_address_group_id: { view: () => null },
    normalized_cidr: { column: 'normalizedPrefix', view: normalizedPrefix },
    belongs_to_default_sg: { column: 'ofDefaultGroup' },
  },
  // Whose group it is may take the rules out that an administrator put in.
  ownersOf: ({ projectId, groupProjectId }) => [projectId, groupProjectId],
})

/** A rule among those of its group. */
export const ruleView = (rule: RuleOfGroup) => ({
  id: rule.id,
  tenant_id: rule.projectId,
  project_id: rule.projectId,
  description: rule.description,
  created_at: secondsTimestamp(new Date(rule.createdAt)),
  updated_at: secondsTimestamp(new Date(rule.updatedAt)),
  revision_number: rule.revisionNumber,
  security_group_id: rule.groupId,
  direction: rule.direction,
  ethertype: rule.ethertype,
  protocol: rule.protocol,
  port_range_min: rule.portRangeMin,
  port_range_max: rule.portRangeMax,
  remote_ip_prefix: rule.remoteIpPrefix,
  remote_group_id: rule.remoteGroupId,
  remote_address_group_id: null,
  normalized_cidr: normalizedPrefix(rule),
  belongs_to_default_sg: rule.ofDefaultGroup,
})
