import { enforce, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import {
  createPorts,
  deletePorts,
  leadsFloatingIps,
  lockRecord,
  networkRecords,
  noteNetworkChange,
  routerConnections,
  type RouterRow,
  type Transaction,
} from '@nubo/database'
import { badRequest, deviceOwners, networkError, parsePrefix, prefixesOverlap } from '@nubo/domain'
import { newId, type PortId, type Random } from '@nubo/kernel'
import { viewerOf } from '../base/listing-query.js'
import { networks } from '../networks/networks.js'
import type { GatewayInput } from './routers.js'

/** A router, as far as it is there when its gateway is made. */
type GatewayOwner = Pick<RouterRow, 'id' | 'gatewayPortId' | 'gateway' | 'snat'>

export interface GatewayState {
  gatewayPortId: string | null
  snat: boolean
}

/** Both are Neutron's defaults: what they say of the outside is the operator's. */
const ofOperators = {
  enable_snat: policy('update_router:external_gateway_info:enable_snat', 'Say whether a router hides addresses.', isCloudAdmin),
  external_fixed_ips: policy(
    'update_router:external_gateway_info:external_fixed_ips',
    'Name the addresses of a gateway.',
    isCloudAdmin,
  ),
}

/**
 * Gives a router the gateway that is wanted, or takes it away. Throws Forbidden, NotFound, Invalid, and Conflict where floating
 * IPs need what is there.
 */
export async function settleGateway(
  tx: Transaction,
  router: GatewayOwner,
  wanted: GatewayInput,
  { caller, random }: { caller: Caller; random: Random },
): Promise<GatewayState> {
  const networkId = wanted?.network_id
  if (!networkId) {
    if (router.gateway) await removeGateway(tx, router)
    return { gatewayPortId: null, snat: true }
  }
  for (const [name, rule] of Object.entries(ofOperators))
    if (wanted[name as keyof typeof ofOperators] !== undefined) enforce(rule, caller)
  const snat = wanted.enable_snat ?? true
  const isSame = router.gateway?.networkId === networkId && wanted.external_fixed_ips === undefined
  if (isSame) return { gatewayPortId: router.gatewayPortId, snat }
  const network = await lockRecord(tx, networkRecords, viewerOf(caller), networkId, 'use')
  if (!network) throw networks.notFound(networkId)
  if (!network.external) throw badRequest('router', `Network ${networkId} is not an external network`)
  if (router.gateway) await removeGateway(tx, router, networkId)
  return { gatewayPortId: await makeGateway(tx, router.id, networkId, wanted.external_fixed_ips, random), snat }
}

type WantedIps = readonly { subnet_id?: string; ip_address?: string }[]

async function makeGateway(
  tx: Transaction,
  routerId: string,
  networkId: string,
  fixedIps: WantedIps | undefined,
  random: Random,
): Promise<string> {
  const [port] = await createPorts(
    tx,
    [
      {
        id: newId<PortId>(random),
        networkId,
        // As in Neutron it is nobody's: neither seen nor counted.
        projectId: '',
        deviceId: routerId,
        deviceOwner: deviceOwners.routerGateway,
        portSecurityEnabled: false,
        wanted: fixedIps?.map(({ subnet_id: subnetId, ip_address: address }) => ({ subnetId, address })),
      },
    ],
    random,
  )
  if (port!.addresses.length === 0) throw badRequest('router', `No IPs available for external network ${networkId}`)
  await refuseOverlaps(tx, routerId, port!.id)
  await noteNetworkChange(tx, 'network', networkId)
  return port!.id
}

/** What a router connects must not overlap: it could not tell which way to go. */
export async function refuseOverlaps(tx: Transaction, routerId: string, newPortId: string): Promise<void> {
  const all = await routerConnections(tx, routerId)
  const others = all.filter(({ portId }) => portId !== newPortId)
  for (const mine of all.filter(({ portId }) => portId === newPortId))
    for (const other of others) {
      if (other.subnetId === mine.subnetId) throw badRequest('router', `Router already has a port on subnet ${mine.subnetId}`)
      if (prefixesOverlap(parsePrefix(mine.cidr)!, parsePrefix(other.cidr)!))
        throw badRequest(
          'router',
          `Cidr ${mine.cidr} of subnet ${mine.subnetId} overlaps with cidr ${other.cidr} of subnet ${other.subnetId}`,
        )
    }
}

/** Its row forgets it first: a port that a router leads through is not deleted. */
async function removeGateway(tx: Transaction, { id, gatewayPortId, gateway }: GatewayOwner, next?: string): Promise<void> {
  if (gateway!.networkId !== next && (await leadsFloatingIps(tx, id, null)))
    throw networkError(
      'Conflict',
      'RouterExternalGatewayInUseByFloatingIp',
      `Gateway cannot be updated for router ${id}, since a gateway to external network ${gateway!.networkId} is required by one or more floating IPs.`,
    )
  await tx.execute('UPDATE routers SET gateway_port_id = NULL WHERE id = $1', [id])
  await deletePorts(tx, [gatewayPortId as PortId])
}
