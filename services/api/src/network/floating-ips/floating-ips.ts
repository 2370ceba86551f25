import { isCloudAdmin } from '@nubo/auth'
import { floatingIpRecords } from '@nubo/database'
import { ipAddress, uuidText } from '../base/attribute-types.js'
import { dnsDomain, relativeDnsName } from '../base/dns-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes, tagsAttribute } from '../base/standard-attributes.js'

/** https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips */
export const floatingIps = resource({
  singular: 'floatingip',
  plural: 'floatingips',
  exceptionName: 'FloatingIP',
  words: 'Floating IP',
  records: floatingIpRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    floating_network_id: { column: 'networkId', input: uuidText, on: 'create', required: true },
    floating_ip_address: { column: 'address', input: ipAddress, on: 'create', setBy: isCloudAdmin },
    subnet_id: { input: uuidText.nullable(), on: 'create' },
    port_id: { column: 'fixedPortId', input: uuidText.nullable() },
    fixed_ip_address: { column: 'fixedAddress', input: ipAddress.nullable() },
    router_id: { column: 'routerId' },
    status: { column: 'status' },
    port_details: { view: ({ fixedPort }) => fixedPort },
    dns_name: { column: 'dnsName', input: relativeDnsName, on: 'create', default: '' },
    dns_domain: { column: 'dnsDomain', input: dnsDomain, on: 'create', default: '' },
  },
})
