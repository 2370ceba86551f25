import { portRecords, type PortRecord } from '@nubo/database'
import { z } from 'zod'
import { booleanLike, listOf, nameText, oneOf, shortText, uuidText } from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { ofAdmin, standardAttributes, tagsAttribute } from '../base/standard-attributes.js'
import { dnsName } from '../base/dns-types.js'
import { dnsAssignment } from './dns-assignment.js'
import { fixedIps, macAddress } from './port-attributes.js'

/** Anything: what is wrong with it has a name of its own, which the domain's rules say. */
const readLater = z.json()

const groupList = listOf(uuidText)
  .nullable()
  .transform((ids) => ids ?? [])

const fixedIpsView = ({ fixedAddresses }: PortRecord) =>
  fixedAddresses.map(({ subnetId, address }) => ({ subnet_id: subnetId, ip_address: address }))

const addressPairsView = ({ allowedAddressPairs, mac }: PortRecord) =>
  allowedAddressPairs.map((pair) => ({ mac_address: mac, ...pair }))

/** https://docs.openstack.org/api-ref/network/v2/#ports */
export const ports = resource({
  singular: 'port',
  plural: 'ports',
  exceptionName: 'Port',
  words: 'Port',
  records: portRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, default: '' },
    network_id: { column: 'networkId', input: uuidText, on: 'create', required: true },
    mac_address: { column: 'mac', input: macAddress },
    admin_state_up: { column: 'adminStateUp', input: booleanLike, default: true },
    status: { column: 'status' },
    device_id: { column: 'deviceId', input: shortText(255), default: '' },
    device_owner: { column: 'deviceOwner', input: shortText(255), default: '' },
    fixed_ips: { column: 'fixedAddresses', view: fixedIpsView, input: fixedIps },
    allowed_address_pairs: { view: addressPairsView, input: readLater },
    security_groups: { column: 'groupIds', input: groupList },
    port_security_enabled: { column: 'portSecurityEnabled', input: booleanLike },
    extra_dhcp_opts: { view: ({ extraDhcpOptions }: PortRecord) => extraDhcpOptions, input: readLater },
    dns_name: { column: 'shownDnsName', input: dnsName, default: '' },
    dns_assignment: { view: dnsAssignment },
    ip_allocation: { view: ({ fixedAddresses }: PortRecord) => (fixedAddresses.length > 0 ? 'immediate' : 'none') },
    'binding:vnic_type': { column: 'vnicType', input: oneOf('normal'), default: 'normal' },
    'binding:host_id': {
      ...ofAdmin,
      column: 'hostName',
      view: ({ hostName }: PortRecord) => hostName ?? '',
      input: shortText(255).nullable(),
    },
    'binding:profile': {
      ...ofAdmin,
      view: ({ bindingProfile }: PortRecord) => bindingProfile,
      input: z
        .record(z.string(), z.json())
        .nullable()
        .transform((profile) => profile ?? {}),
    },
    'binding:vif_type': {
      seenBy: ofAdmin.seenBy,
      view: ({ hostName }: PortRecord) => (hostName === null ? 'unbound' : 'bridge'),
    },
    'binding:vif_details': {
      seenBy: ofAdmin.seenBy,
      view: ({ hostName }: PortRecord) => (hostName === null ? {} : { port_filter: true, connectivity: 'l2' }),
    },
  },
  // Whose network it is may take ports out of it; to change them is their own project's.
  ownersOf: ({ projectId, networkProjectId }) => [projectId, networkProjectId],
})
