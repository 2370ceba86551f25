import { isCloudAdmin } from '@nubo/auth'
import { subnetPoolRecords } from '@nubo/database'
import { booleanLike, integerLike, ipPrefix, listOf, nameText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes, tagsAttribute } from '../base/standard-attributes.js'

const prefixLength = integerLike(0, 128)

/** https://docs.openstack.org/api-ref/network/v2/#subnet-pools-extension-subnetpools */
export const subnetPools = resource({
  singular: 'subnetpool',
  plural: 'subnetpools',
  exceptionName: 'SubnetPool',
  words: 'Subnet pool',
  records: subnetPoolRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, required: true },
    prefixes: { column: 'prefixes', input: listOf(ipPrefix), required: true },
    ip_version: { column: 'ipVersion' },
    min_prefixlen: { column: 'minPrefix', input: prefixLength },
    max_prefixlen: { column: 'maxPrefix', input: prefixLength },
    default_prefixlen: { column: 'defaultPrefix', input: prefixLength },
    default_quota: { column: 'defaultQuota', input: integerLike(0, 0x7f_ff_ff_ff).nullable(), default: null },
    shared: { column: 'shared', input: booleanLike, on: 'create', default: false, setBy: isCloudAdmin },
    is_default: { column: 'isDefault', input: booleanLike, default: false, setBy: isCloudAdmin },
    address_scope_id: { view: () => null },
  },
})
