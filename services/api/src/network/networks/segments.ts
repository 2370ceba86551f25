import { isVniTaken, nextVni, type Transaction } from '@nubo/database'
import { invalidInput, networkError, type Prefix } from '@nubo/domain'

/** What a packet of 1500 bytes loses to VXLAN over IPv4: outer Ethernet, IP, UDP and VXLAN headers. */
const vxlanOverheadBytes = 50

export interface Segment {
  networkType: 'vxlan' | 'flat'
  physicalNetwork: string | null
  vni: number | null
}

interface ProviderAttributes {
  'provider:network_type'?: string
  'provider:physical_network'?: string | null
  'provider:segmentation_id'?: number | null
}

/** How the packets of a new network travel: in a VXLAN of its own, or, where an operator says so, flat on a device of hosts. */
export async function segmentFor(tx: Transaction, wanted: ProviderAttributes): Promise<Segment> {
  const type = wanted['provider:network_type'] ?? 'vxlan'
  const physicalNetwork = wanted['provider:physical_network'] || null
  const vni = wanted['provider:segmentation_id'] ?? null
  if (type === 'flat') return flatSegment(physicalNetwork, vni)
  if (type !== 'vxlan') throw invalidInput(`network_type value '${type}' not supported`)
  if (physicalNetwork !== null) throw invalidInput('provider:physical_network specified for vxlan network')
  if (vni !== null && (await isVniTaken(tx, vni))) throw vniTaken(vni)
  return { networkType: type, physicalNetwork: null, vni: vni ?? (await nextVni(tx)) }
}

function flatSegment(physicalNetwork: string | null, vni: number | null): Segment {
  if (physicalNetwork === null) throw invalidInput('physical_network required for flat provider network')
  if (vni !== null) throw invalidInput('segmentation_id prohibited for flat provider network')
  return { networkType: 'flat', physicalNetwork, vni: null }
}

export const vniTaken = (vni: number | null) =>
  networkError('Conflict', 'TunnelIdInUse', `Unable to create the network. The tunnel ID ${vni} is in use.`)

export const flatTaken = (physicalNetwork: string | null) =>
  networkError(
    'Conflict',
    'FlatNetworkInUse',
    `Unable to create the flat network. Physical network ${physicalNetwork} is in use.`,
  )

/** What IPv6 asks of every link. */
const leastIpv6Mtu = 1_280

/** Throws Conflict where a network is, or is to be, too narrow for a subnet. */
export function assertWideEnough({ id, mtu }: { id: string; mtu: number }, { family }: Pick<Prefix, 'family'>): void {
  if (family === 6 && mtu < leastIpv6Mtu)
    throw networkError(
      'Conflict',
      'NetworkMTUSubnetConflict',
      `MTU of ${id} is not valid, subnet requires a minimum of ${leastIpv6Mtu}`,
    )
}

/** The MTU of a network: the largest that hosts can carry for each other, or what was asked for, up to that. */
export function mtuWithin(underlayMtu: number, networkType: Segment['networkType'], wanted: number | undefined): number {
  const most = networkType === 'vxlan' ? underlayMtu - vxlanOverheadBytes : underlayMtu
  if (wanted === undefined) return most
  if (wanted > most) throw invalidInput(`Requested MTU is too big, maximum is ${most}`)
  return wanted
}
