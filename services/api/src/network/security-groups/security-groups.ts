import { securityGroupRecords } from '@nubo/database'
import { booleanLike, nameText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes, tagsAttribute } from '../base/standard-attributes.js'
import { ruleView } from './security-group-rules.js'

/** https://docs.openstack.org/api-ref/network/v2/#security-groups-security-groups */
export const securityGroups = resource({
  singular: 'security_group',
  plural: 'security_groups',
  exceptionName: 'SecurityGroup',
  words: 'Security group',
  absence: 'does not exist',
  records: securityGroupRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, default: '' },
    stateful: { column: 'stateful', input: booleanLike, default: true },
    shared: { view: () => false },
    security_group_rules: { view: ({ rules }) => rules.map(ruleView) },
  },
})
