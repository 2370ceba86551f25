import { isCloudAdmin, type Caller } from '@nubo/auth'
import { lockConnectablePort, lockRouterBetween, type ConnectablePort, type Transaction } from '@nubo/database'
import { badRequest, canonicalAddress, networkError, parseAddress } from '@nubo/domain'
import { viewerOf } from '../base/listing-query.js'

/** Where a floating IP leads. */
export interface Association {
  fixedPortId: string | null
  fixedAddress: string | null
  routerId: string | null
}

export const nowhere: Association = { fixedPortId: null, fixedAddress: null, routerId: null }

export interface AssociationWanted {
  portId: string
  fixedAddress: string | null | undefined
  /** The floating IP that is to lead there. */
  floating: { id: string; networkId: string; projectId: string }
}

/**
 * What a floating IP has to know of the port that it is to lead to: which address, and through which router. Throws NotFound
 * for a port that is not there, or that its network cannot reach, and Invalid for an address that the port has not.
 */
export async function associate(tx: Transaction, wanted: AssociationWanted, caller: Caller): Promise<Association> {
  const { portId, floating } = wanted
  const port = await lockConnectablePort(tx, portId)
  const isSeen = port && (isCloudAdmin(caller) || port.projectId === viewerOf(caller).projectId)
  if (!isSeen) throw networkError('NotFound', 'PortNotFound', `Port ${portId} could not be found.`)
  if (port.projectId !== floating.projectId && !isCloudAdmin(caller))
    throw badRequest(
      'floatingip',
      `Port ${portId} is associated with a different project than Floating IP ${floating.id} and therefore cannot be bound`,
    )
  const { subnetId, address } = fixedAddressOf(port, wanted.fixedAddress)
  const routerId = await lockRouterBetween(tx, subnetId, floating.networkId)
  if (routerId === undefined)
    throw networkError(
      'NotFound',
      'ExternalGatewayForFloatingIPNotFound',
      `External network ${floating.networkId} is not reachable from subnet ${subnetId}.  ` +
        `Therefore, cannot associate Port ${portId} with a Floating IP.`,
    )
  return { fixedPortId: portId, fixedAddress: address, routerId }
}

function fixedAddressOf({ id, addresses }: ConnectablePort, wanted: string | null | undefined) {
  const candidates = addresses.filter(({ address }) => parseAddress(address)!.family === 4)
  if (wanted) {
    const named = candidates.find(({ address }) => address === canonicalAddress(wanted))
    if (!named) throw badRequest('floatingip', `Port ${id} does not have fixed ip ${wanted}`)
    return named
  }
  const [first, ...more] = candidates
  if (!first) throw badRequest('floatingip', `Cannot add floating IP to port ${id} that has no fixed IPv4 addresses`)
  if (more.length > 0)
    throw badRequest(
      'floatingip',
      `Port ${id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`,
    )
  return first
}
