import {
  addressBits,
  defaultPools,
  isInPools,
  isUsableIn,
  lastOfPrefix,
  parseAddress,
  parsePool,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  printAddress,
  printPool,
  printPrefix,
  type Address,
  type Family,
  type Pool,
  type PoolText,
  type Prefix,
} from '../addresses/index.js'
import { invalidInput, networkError } from './network-error.js'

// What a subnet may be, in the words of `neutron/db/ipam_backend_mixin.py` and `neutron/db/db_base_plugin_v2.py`.

/** Who advertises, and how guests get their addresses of IPv6. */
export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

export interface Ipv6Modes {
  raMode: Ipv6Mode | null
  addressMode: Ipv6Mode | null
}

export interface HostRoute {
  destination: string
  nexthop: string
}

/** With these the guest makes its address of its MAC. */
const isSelfMade = (mode: Ipv6Mode | null) => mode === 'slaac' || mode === 'dhcpv6-stateless'

/** Throws Invalid for a prefix that no subnet has. */
export function subnetPrefix(cidr: string, family: Family): Prefix {
  const prefix = parsePrefix(cidr)
  if (!prefix) throw invalidInput(`'${cidr}' is not a valid IP subnet`)
  if (prefix.family !== family) throw invalidInput(`cidr '${cidr}' does not match the ip_version '${family}'`)
  if (prefix.length === 0) throw invalidInput('0 is not allowed as CIDR prefix length')
  for (const [name, reserved] of Object.entries(unusable))
    if (reserved.some((each) => prefixesOverlap(each, prefix))) throw invalidInput(`${name} IP subnet is not supported`)
  return prefix
}

const unusable = {
  Multicast: [parsePrefix('224.0.0.0/4')!, parsePrefix('ff00::/8')!],
  Loopback: [parsePrefix('127.0.0.0/8')!, parsePrefix('::1/128')!],
}

/** Throws Invalid where the modes of IPv6 do not go together, with the prefix, or with DHCP. */
export function checkModes({ raMode, addressMode }: Ipv6Modes, prefix: Prefix, isDhcp: boolean): void {
  if (raMode === null && addressMode === null) return
  if (prefix.family === 4)
    throw invalidInput(`${raMode === null ? 'ipv6_address_mode' : 'ipv6_ra_mode'} is not valid when ip_version is 4`)
  if (!isDhcp) throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False')
  if (raMode !== null && addressMode !== null && raMode !== addressMode)
    throw invalidInput(
      `ipv6_ra_mode set to '${raMode}' with ipv6_address_mode set to '${addressMode}' is not valid. ` +
        'If both attributes are set, they must be the same value',
    )
  if ((isSelfMade(raMode) || isSelfMade(addressMode)) && prefix.length !== 64)
    throw invalidInput(
      `Invalid CIDR ${printPrefix(prefix)} for IPv6 address mode. OpenStack uses the EUI-64 address format, ` +
        'which requires the prefix to be /64',
    )
}

/** Throws Invalid for a prefix that has no room for a guest beside its DHCP server. */
export function checkDhcpRoom(prefix: Prefix): void {
  if (prefix.length > addressBits[prefix.family] - 2)
    throw invalidInput(
      `Invalid CIDR ${printPrefix(prefix)}: Subnet has a prefix length that is incompatible with DHCP service enabled`,
    )
}

/** The gateway where none is named: the first address behind the network's own. */
export function usualGateway(prefix: Prefix): Address | undefined {
  const first = { family: prefix.family, value: prefix.first + 1n }
  return prefixContains(prefix, first) && isUsableIn(prefix, first, true) ? first : undefined
}

/** A gateway that was named. It may lie outside of the subnet. Throws Invalid. */
export function gatewayWithin(prefix: Prefix, gateway: string): Address {
  const address = parseAddress(gateway)
  if (!address || address.family !== prefix.family)
    throw invalidInput(`gateway_ip '${gateway}' does not match the ip_version '${prefix.family}'`)
  if (prefixContains(prefix, address) && !isUsableIn(prefix, address, true)) throw invalidInput(`Gateway is not valid on subnet`)
  return address
}

/** What a subnet gives out: what was named, or all but its ends and its gateway. Throws Invalid and Conflict. */
export function poolsWithin(prefix: Prefix, gateway: Address | undefined, named: readonly PoolText[] | undefined): PoolText[] {
  if (named === undefined) return defaultPools(prefix, gateway).map(printPool)
  const pools = named.map((text) => poolWithin(prefix, text)).toSorted((one, other) => (one.first < other.first ? -1 : 1))
  for (const [index, pool] of pools.entries()) {
    const next = pools[index + 1]
    if (next && next.first <= pool.last)
      throw networkError(
        'Conflict',
        'OverlappingAllocationPools',
        `Found overlapping allocation pools: ${told(pool)} ${told(next)} for subnet ${printPrefix(prefix)}.`,
      )
  }
  checkGatewayOutside(pools, gateway)
  return pools.map(printPool)
}

/** Throws Conflict where the gateway would be given out. */
export function checkGatewayOutside(pools: readonly Pool[], gateway: Address | undefined): void {
  const holding = gateway && pools.find((pool) => isInPools([pool], gateway))
  if (holding)
    throw networkError(
      'Conflict',
      'GatewayConflictWithAllocationPools',
      `Gateway ip ${printAddress(gateway)} conflicts with allocation pool ${told(holding)}.`,
    )
}

const told = (pool: Pool) => {
  const { start, end } = printPool(pool)
  return `${start}-${end}`
}

function poolWithin(prefix: Prefix, text: PoolText): Pool {
  const pool = parsePool(text)
  if (!pool || pool.family !== prefix.family)
    throw networkError('Invalid', 'InvalidAllocationPool', `The allocation pool ${text.start}-${text.end} is not valid.`)
  if (pool.first < prefix.first || pool.last > lastOfPrefix(prefix))
    throw networkError(
      'Invalid',
      'OutOfBoundsAllocationPool',
      `The allocation pool ${told(pool)} spans beyond the subnet cidr ${printPrefix(prefix)}.`,
    )
  return pool
}

/** Neutron's limits of one subnet (neutron/conf/common.py): what DHCP tells in one answer. */
const [mostNameServers, mostHostRoutes] = [5, 20]

/** Throws Invalid for name servers that are too many, or of another version of IP. */
export function checkNameServers(servers: readonly string[], family: Family, subnetId: string): void {
  if (servers.length > mostNameServers)
    throw networkError(
      'Invalid',
      'DNSNameServersExhausted',
      `Unable to complete operation for ${subnetId}. The number of DNS nameservers exceeds the limit ${mostNameServers}.`,
    )
  for (const server of servers) checkFamily('dns_nameserver', server, family)
}

/** Routes in their one text each. Throws Invalid. */
export function checkHostRoutes(routes: readonly HostRoute[], family: Family, subnetId: string): void {
  if (routes.length > mostHostRoutes)
    throw networkError(
      'Invalid',
      'HostRoutesExhausted',
      `Unable to complete operation for ${subnetId}. The number of host routes exceeds the limit ${mostHostRoutes}.`,
    )
  for (const { destination, nexthop } of routes) {
    checkFamily('nexthop', nexthop, family)
    if (parsePrefix(destination)?.family !== family)
      throw invalidInput(`destination '${destination}' does not match the ip_version '${family}'`)
  }
}

function checkFamily(name: string, address: string, family: Family): void {
  if (parseAddress(address)?.family !== family)
    throw invalidInput(`${name} '${address}' does not match the ip_version '${family}'`)
}
