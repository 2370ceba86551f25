import {
  eui64Address,
  isUsableIn,
  parseAddress,
  parsePrefix,
  printAddress,
  type Address,
  type PoolText,
} from '../addresses/index.js'
import { deviceOwners, isRouterInterface, isRouterPort } from './device-owners.js'
import { invalidInput, networkError } from './network-error.js'

/** A subnet, as far as it matters to who gets addresses of it. */
export interface AddressSubnet {
  id: string
  cidr: string
  pools: readonly PoolText[]
  addressMode: string | null
  raMode: string | null
  serviceTypes: readonly string[]
}

/** An address as it is asked for: this one, one of that subnet, or this one of that subnet. */
export interface WantedAddress {
  subnetId?: string | undefined
  address?: string | undefined
}

export interface PortToAddress {
  networkId: string
  /** Undefined where nothing is said: then the port gets what its network gives. */
  wanted?: readonly WantedAddress[] | undefined
  deviceOwner: string
  mac: string
}

/** What a port is to get: `address` and no other, or where that is undefined one of any of the subnets, the first before the others. */
export interface PlannedAddress {
  subnetIds: readonly string[]
  address?: string
}

/**
 * Which addresses a port is to get, by Neutron's rules (neutron/db/ipam_pluggable_backend.py, _allocate_ips_for_port). Where
 * nothing is wanted: one of any IPv4 subnet, one of any IPv6 subnet that keeps book of its addresses, and, always, the port's
 * own address of every subnet whose guests give themselves one.
 */
export function planAddresses(port: PortToAddress, networkSubnets: readonly AddressSubnet[]): PlannedAddress[] {
  const subnets = subnetsFor(port, networkSubnets)
  const chosen = port.wanted ? port.wanted.flatMap((wanted) => planWanted(port, wanted, subnets)) : planUsual(subnets)
  return withoutRepeats([...chosen, ...planAutomatic(port, subnets)])
}

/** Subnets for all, and those for the port's kind of device, which come first. A network's DHCP is for all of them. */
function subnetsFor({ networkId, deviceOwner }: PortToAddress, subnets: readonly AddressSubnet[]): readonly AddressSubnet[] {
  if (deviceOwner === deviceOwners.dhcp) return subnets
  const forIt = subnets.filter(({ serviceTypes }) => serviceTypes.includes(deviceOwner))
  const fitting = [...forIt, ...subnets.filter(({ serviceTypes }) => serviceTypes.length === 0)]
  if (fitting.length > 0 || subnets.length === 0) return fitting
  throw networkError(
    'Conflict',
    'IpAddressGenerationFailureNoMatchingSubnet',
    `No valid service subnet for the given device owner, network ${networkId}, service type ${deviceOwner}.`,
  )
}

function planUsual(subnets: readonly AddressSubnet[]): PlannedAddress[] {
  const counted = subnets.filter((subnet) => !isAutomatic(subnet))
  const families = ([4, 6] as const).map((family) => counted.filter(({ cidr }) => parsePrefix(cidr)?.family === family))
  return families.filter((each) => each.length > 0).map((each) => ({ subnetIds: each.map(({ id }) => id) }))
}

/** Guests of such a subnet give themselves the address that follows from their MAC; a router's interface is told its own. */
function planAutomatic({ deviceOwner, mac }: PortToAddress, subnets: readonly AddressSubnet[]): PlannedAddress[] {
  if (isRouterInterface(deviceOwner)) return []
  return subnets.filter(isAutomatic).map(({ id, cidr }) => ({ subnetIds: [id], address: automaticAddress(cidr, mac) }))
}

function planWanted(port: PortToAddress, wanted: WantedAddress, subnets: readonly AddressSubnet[]): PlannedAddress[] {
  if (subnets.length === 0) throw invalidInput('IP allocation requires subnets for network')
  const address = wanted.address === undefined ? undefined : parseAddress(wanted.address)
  if (wanted.address !== undefined && !address) throw invalidInput(`'${wanted.address}' is not a valid IP address`)
  const subnet = subnetFor(port, wanted, address, subnets)
  const isAutomaticHere = isAutomatic(subnet) && !isRouterInterface(port.deviceOwner)
  if (!address) return isAutomaticHere ? [] : [{ subnetIds: [subnet.id] }]
  if (isAutomaticHere && automaticAddress(subnet.cidr, port.mac) !== printAddress(address))
    throw networkError(
      'Invalid',
      'AllocationOnAutoAddressSubnet',
      `IPv6 address ${printAddress(address)} cannot be directly assigned to a port on subnet ${subnet.id} as the subnet is configured for automatic addresses`,
    )
  return [{ subnetIds: [subnet.id], address: printAddress(address) }]
}

function subnetFor(
  { networkId, deviceOwner }: PortToAddress,
  { subnetId }: WantedAddress,
  address: Address | undefined,
  subnets: readonly AddressSubnet[],
): AddressSubnet {
  const isRouter = isRouterPort(deviceOwner) || deviceOwner === ''
  const takes = ({ cidr }: AddressSubnet) => address === undefined || isUsableIn(parsePrefix(cidr)!, address, isRouter)
  if (subnetId === undefined) {
    if (!address) throw invalidInput('IP allocation requires subnet_id or ip_address')
    const subnet = subnets.find(takes)
    if (subnet) return subnet
    throw networkError(
      'Invalid',
      'InvalidIpForNetwork',
      `IP address ${printAddress(address)} is not a valid IP for any of the subnets on the specified network.`,
    )
  }
  const subnet = subnets.find(({ id }) => id === subnetId)
  if (!subnet)
    throw invalidInput(`Failed to create port on network ${networkId}, because fixed_ips included invalid subnet ${subnetId}`)
  if (takes(subnet)) return subnet
  throw networkError(
    'Invalid',
    'InvalidIpForSubnet',
    `IP address ${printAddress(address!)} is not a valid IP for the specified subnet.`,
  )
}

const automaticModes: readonly (string | null)[] = ['slaac', 'dhcpv6-stateless']

/** Whether ports have the address of such a subnet that follows from their MAC. */
export function isAutomatic({ addressMode, raMode }: Pick<AddressSubnet, 'addressMode' | 'raMode'>): boolean {
  return automaticModes.includes(addressMode) || automaticModes.includes(raMode)
}

function automaticAddress(cidr: string, mac: string): string {
  return printAddress(eui64Address(parsePrefix(cidr)!, mac))
}

/** An address that is named is taken once, also where it is the port's own anyway. */
function withoutRepeats(planned: readonly PlannedAddress[]): PlannedAddress[] {
  const named = new Set<string>()
  return planned.filter(({ address }) => {
    if (address === undefined) return true
    const isNew = !named.has(address)
    named.add(address)
    return isNew
  })
}
