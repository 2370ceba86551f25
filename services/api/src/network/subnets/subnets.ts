import { subnetRecords } from '@nubo/database'
import type { HostRoute, PoolText } from '@nubo/domain'
import { z } from 'zod'
import {
  booleanLike,
  integerLike,
  ipAddress,
  ipPrefix,
  ipVersion,
  listOf,
  listOfTexts,
  listOrNone,
  nameText,
  oneOf,
  uuidText,
} from '../base/attribute-types.js'
import { resource } from '../base/resource.js'
import { standardAttributes, tagsAttribute } from '../base/standard-attributes.js'

const ipv6Mode = oneOf('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless').nullable()
const allocationPools = listOf(z.strictObject({ start: ipAddress, end: ipAddress }))
export const routeList = listOrNone(z.strictObject({ destination: ipPrefix, nexthop: ipAddress }))
const noTexts: string[] = []

/** https://docs.openstack.org/api-ref/network/v2/#subnets */
export const subnets = resource({
  singular: 'subnet',
  plural: 'subnets',
  exceptionName: 'Subnet',
  words: 'Subnet',
  records: subnetRecords,
  attributes: {
    ...standardAttributes,
    ...tagsAttribute,
    name: { column: 'name', input: nameText, default: '' },
    network_id: { column: 'networkId', input: uuidText, on: 'create', required: true },
    ip_version: { column: 'ipVersion', input: ipVersion, on: 'create', required: true },
    cidr: { column: 'cidr', input: ipPrefix, on: 'create' },
    gateway_ip: { column: 'gateway', input: ipAddress.nullable() },
    allocation_pools: { view: ({ pools }): PoolText[] => pools, input: allocationPools },
    dns_nameservers: { column: 'dnsNameservers', input: listOrNone(ipAddress), default: noTexts },
    host_routes: { view: ({ hostRoutes }): HostRoute[] => hostRoutes, input: routeList, default: [] as HostRoute[] },
    enable_dhcp: { column: 'dhcp', input: booleanLike, default: true },
    ipv6_ra_mode: { column: 'raMode', input: ipv6Mode, on: 'create', default: null },
    ipv6_address_mode: { column: 'addressMode', input: ipv6Mode, on: 'create', default: null },
    subnetpool_id: { column: 'subnetPoolId', input: uuidText.nullable(), on: 'create' },
    use_default_subnetpool: { input: booleanLike, on: 'create', default: false },
    prefixlen: { input: integerLike(0, 128), on: 'create' },
    service_types: { column: 'serviceTypes', input: listOfTexts(255), default: noTexts },
    dns_publish_fixed_ip: { column: 'dnsPublish', input: booleanLike, default: false },
  },
})
