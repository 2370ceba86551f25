import { isCloudAdmin } from '@nubo/auth'
import { networkRecords } from '@nubo/database'
import { zoneAttributes } from '../agents/network-zones.js'
import { booleanLike, integerLike, nameText, shortText } from '../base/attribute-types.js'
import { dnsDomain } from '../base/dns-types.js'
import { resource } from '../base/resource.js'
import { ofAdmin, standardAttributes, tagsAttribute } from '../base/standard-attributes.js'

const largestVni = 16_777_215
/** The smallest that IPv4 allows, and the largest that its header can say. */
const [smallestMtu, largestMtu] = [68, 65_535]

/** https://docs.openstack.org/api-ref/network/v2/#networks */
export const networks = resource({
  singular: 'network',
  plural: 'networks',
  exceptionName: 'Network',
  words: 'Network',
  records: networkRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, default: '' },
    admin_state_up: { column: 'adminStateUp', input: booleanLike, default: true },
    status: { column: 'status' },
    mtu: { column: 'mtu', input: integerLike(smallestMtu, largestMtu) },
    subnets: { column: 'subnetIds' },
    shared: { column: 'shared', input: booleanLike, default: false, setBy: isCloudAdmin },
    'router:external': { column: 'external', input: booleanLike, default: false, setBy: isCloudAdmin },
    is_default: { column: 'isDefault', input: booleanLike, default: false, setBy: isCloudAdmin },
    port_security_enabled: { column: 'portSecurityEnabled', input: booleanLike, default: true },
    dns_domain: { column: 'dnsDomain', input: dnsDomain, default: '' },
    ...zoneAttributes,
    ipv4_address_scope: { view: () => null },
    ipv6_address_scope: { view: () => null },
    'provider:network_type': { ...ofAdmin, column: 'networkType', input: shortText(32), on: 'create' },
    'provider:physical_network': { ...ofAdmin, column: 'physicalNetwork', input: shortText(64).nullable(), on: 'create' },
    'provider:segmentation_id': { ...ofAdmin, column: 'vni', input: integerLike(1, largestVni).nullable(), on: 'create' },
  },
})
