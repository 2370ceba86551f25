import { changeAddresses, lockRecord, portRecords, type RouterConnection, type Transaction } from '@nubo/database'
import { badRequest, parsePrefix } from '@nubo/domain'
import { assert, type Random } from '@nubo/kernel'

// A router has one port for all subnets of IPv6 of a network, as the one router that their guests hear of (neutron/db/l3_db.py,
// _find_ipv6_router_port_by_network).

const isOfIpv6 = ({ cidr }: RouterConnection) => parsePrefix(cidr)!.family === 6

/** Where a router is connected to other subnets of IPv6 of a network. */
export const ipv6ConnectionOn = (connections: readonly RouterConnection[], networkId: string): RouterConnection | undefined =>
  connections.find((each) => !each.isGateway && each.networkId === networkId && isOfIpv6(each))

/** Throws where a port that a router has just got is its second with IPv6 on a network. */
export function refuseSecondIpv6Port(connections: readonly RouterConnection[], portId: string): void {
  const own = connections.filter((each) => each.portId === portId && isOfIpv6(each))
  const other =
    own[0] &&
    ipv6ConnectionOn(
      connections.filter((each) => each.portId !== portId),
      own[0].networkId,
    )
  if (other)
    throw badRequest(
      'router',
      'Cannot have multiple router ports with the same network id if both contain IPv6 subnets. ' +
        `Existing port ${other.portId} has IPv6 subnet(s) and network id ${other.networkId}`,
    )
}

/** Gives a router's port the gateway of one subnet more. */
export async function connectAlso(
  tx: Transaction,
  portId: string,
  { subnetId, address }: { subnetId: string; address: string },
  random: Random,
): Promise<void> {
  const port = await lockPort(tx, portId)
  await changeAddresses(tx, port, [...port.fixedAddresses, { subnetId, address }], random)
}

/** Takes the addresses of a subnet off a router's port that has others. */
export async function disconnect(tx: Transaction, portId: string, subnetId: string, random: Random): Promise<void> {
  const port = await lockPort(tx, portId)
  const left = port.fixedAddresses.filter((each) => each.subnetId !== subnetId)
  await changeAddresses(tx, port, left, random)
}

async function lockPort(tx: Transaction, portId: string) {
  const port = await lockRecord(tx, portRecords, { projectId: null, seesAll: true }, portId)
  assert(port, 'a port goes with its router’s lock alone')
  return port
}
