import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import {
  attachToRouter,
  createPorts,
  deletePorts,
  findRecord,
  isSharedByName,
  leadsFloatingIps,
  lockConnectablePort,
  noteNetworkChange,
  routerConnections,
  routerRecords,
  subnetRecords,
  touchRecord,
  type RouterConnection,
  type RouterRow,
  type SubnetRow,
  type Transaction,
} from '@nubo/database'
import { badRequest, deviceOwners, isAutomatic, networkError, parseAddress, parsePrefix, prefixContains } from '@nubo/domain'
import { newId, type PortId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { viewerOf } from '../base/listing-query.js'
import { subnets } from '../subnets/subnets.js'
import { connectAlso, disconnect, ipv6ConnectionOn, refuseSecondIpv6Port } from './ipv6-interfaces.js'
import { refuseOverlaps } from './router-gateway.js'
import type { InterfaceBody } from './router-interfaces.schemas.js'
import { RoutersService } from './routers.service.js'

export interface RouterInterface {
  router: RouterRow
  portId: string
  networkId: string
  subnetIds: string[]
}

/** Connects networks to routers. */
@Injectable()
export class RouterInterfacesService {
  constructor(
    private readonly routers: RoutersService,
    @Inject(RANDOM) private readonly random: Random,
  ) {}

  /** By a subnet, whose gateway the router becomes, or by a port that is free. */
  async add(caller: Caller, id: string, wanted: InterfaceBody): Promise<RouterInterface> {
    return await this.routers.changing(caller, id, async (tx, router) => {
      const { subnet_id: subnetId, port_id: portId } = wanted
      if (subnetId !== undefined && portId !== undefined) throw badRequest('router', 'Cannot specify both subnet-id and port-id')
      if (subnetId === undefined && portId === undefined)
        throw badRequest('router', 'Either subnet_id or port_id must be specified')
      const added =
        subnetId === undefined
          ? await this.addPort(tx, router, portId!, caller)
          : await this.addSubnet(tx, router, subnetId, caller)
      await refuseOverlaps(tx, router.id, added.portId)
      refuseSecondIpv6Port(await routerConnections(tx, router.id), added.portId)
      await noteInterface(tx, added)
      return added
    })
  }

  /** The interface's port goes with it, unless it is named by one of several subnets that the port has addresses of. */
  async remove(caller: Caller, id: string, wanted: InterfaceBody): Promise<RouterInterface> {
    return await this.routers.changing(caller, id, async (tx, router) => {
      const connections = (await routerConnections(tx, id)).filter(({ isGateway }) => !isGateway)
      const ofPort = theInterface(router.id, connections, wanted)
      const leaving = wanted.port_id === undefined ? ofPort.filter((each) => each.subnetId === wanted.subnet_id) : ofPort
      const remaining = connections.filter((each) => !leaving.includes(each))
      for (const connection of leaving) await refuseWhereNeeded(tx, router, connection, remaining)
      const { portId, networkId, subnetId } = leaving[0]!
      if (leaving.length === ofPort.length) await deletePorts(tx, [portId as PortId])
      else await disconnect(tx, portId, subnetId, this.random)
      const removed = { router, portId, networkId, subnetIds: leaving.map((each) => each.subnetId) }
      await noteInterface(tx, removed)
      return removed
    })
  }

  private async addSubnet(tx: Transaction, router: RouterRow, subnetId: string, caller: Caller): Promise<RouterInterface> {
    const subnet = await findRecord(tx, subnetRecords, viewerOf(caller), subnetId)
    if (!subnet) throw subnets.notFound(subnetId)
    if (subnet.gateway === null) throw badRequest('router', 'Subnet for router interface must have a gateway IP')
    await refuseOthersGateway(tx, subnet, caller)
    refuseForeignAdvertisements(subnet)
    const connections = await routerConnections(tx, router.id)
    if (connections.some((each) => each.subnetId === subnetId))
      throw badRequest('router', `Router already has a port on subnet ${subnetId}`)
    const address = subnet.gateway
    const beside = subnet.ipVersion === 6 ? ipv6ConnectionOn(connections, subnet.networkId) : undefined
    if (beside) await connectAlso(tx, beside.portId, { subnetId, address }, this.random)
    const portId = beside?.portId ?? (await this.makePort(tx, router, subnet, address))
    return { router, portId, networkId: subnet.networkId, subnetIds: [subnetId] }
  }

  private async makePort(tx: Transaction, router: RouterRow, subnet: SubnetRow, address: string): Promise<PortId> {
    const id = newId<PortId>(this.random)
    await createPorts(
      tx,
      [
        {
          id,
          networkId: subnet.networkId,
          projectId: router.projectId,
          deviceId: router.id,
          deviceOwner: deviceOwners.routerInterface,
          portSecurityEnabled: false,
          wanted: [{ subnetId: subnet.id, address }],
        },
      ],
      this.random,
    )
    return id
  }

  private async addPort(tx: Transaction, router: RouterRow, portId: string, caller: Caller): Promise<RouterInterface> {
    const port = await lockConnectablePort(tx, portId)
    const isTheirs = port && (isCloudAdmin(caller) || port.projectId === viewerOf(caller).projectId)
    if (!isTheirs) throw networkError('NotFound', 'PortNotFound', `Port ${portId} could not be found.`)
    if (port.deviceId !== '')
      throw networkError(
        'Conflict',
        'PortInUse',
        `Unable to complete operation on port ${portId} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
      )
    if (port.addresses.length === 0) throw badRequest('router', 'Router port must have at least one fixed IP')
    if (port.addresses.filter(({ address }) => parseAddress(address)!.family === 4).length > 1)
      throw badRequest('router', 'Cannot have multiple IPv4 subnets on router port')
    await attachToRouter(tx, portId, router.id)
    return { router, portId, networkId: port.networkId, subnetIds: port.addresses.map(({ subnetId }) => subnetId) }
  }
}

/** Everybody who carries the network, and who carries the router. */
async function noteInterface(tx: Transaction, { router, networkId }: RouterInterface): Promise<void> {
  await touchRecord(tx, routerRecords, router.id)
  await noteNetworkChange(tx, 'network', networkId)
  await noteNetworkChange(tx, 'router', router.id)
}

/**
 * All that leaves a subnet goes by its gateway: on a network that every project shares it is not anybody's to become. Who shares
 * it with a project by its name lets that project be it (neutron/db/l3_db.py, _add_interface_by_subnet).
 */
async function refuseOthersGateway(tx: Transaction, { id, networkId, projectId }: SubnetRow, caller: Caller): Promise<void> {
  const own = viewerOf(caller).projectId
  if (isCloudAdmin(caller) || projectId === own || (own !== null && (await isSharedByName(tx, networkId, own)))) return
  throw badRequest('router', `Cannot add interface to router because subnet ${id} is not owned by project making the request`)
}

/** A subnet that says how guests get their addresses, but not that our routers tell them, has another one that does. */
function refuseForeignAdvertisements({ id, ipVersion, raMode, addressMode }: SubnetRow): void {
  if (ipVersion === 6 && raMode === null && addressMode !== null && isAutomatic({ raMode, addressMode }))
    throw badRequest(
      'router',
      `IPv6 subnet ${id} configured to receive RAs from an external router cannot be added to Neutron Router`,
    )
}

/** The connections of the one interface that is named, by its port, its subnet, or both. */
function theInterface(
  routerId: string,
  connections: readonly RouterConnection[],
  { port_id: portId, subnet_id: subnetId }: InterfaceBody,
): RouterConnection[] {
  if (portId === undefined && subnetId === undefined) throw badRequest('router', 'Either subnet_id or port_id must be specified')
  if (portId === undefined) {
    const found = connections.find((each) => each.subnetId === subnetId)
    if (!found)
      throw networkError(
        'NotFound',
        'RouterInterfaceNotFoundForSubnet',
        `Router ${routerId} has no interface on subnet ${subnetId}.`,
      )
    return connections.filter((each) => each.portId === found.portId)
  }
  const ofPort = connections.filter((each) => each.portId === portId)
  if (ofPort.length === 0)
    throw networkError('NotFound', 'RouterInterfaceNotFound', `Router ${routerId} does not have an interface with id ${portId}`)
  if (subnetId !== undefined && ofPort.every((each) => each.subnetId !== subnetId))
    throw networkError(
      'Conflict',
      'SubnetMismatchForPort',
      `Subnet on port ${portId} does not match the requested subnet ${subnetId}.`,
    )
  return ofPort
}

async function refuseWhereNeeded(
  tx: Transaction,
  { id, routes }: RouterRow,
  { subnetId, cidr }: RouterConnection,
  remaining: readonly RouterConnection[],
): Promise<void> {
  const inUse = (type: string, by: string) =>
    networkError(
      'Conflict',
      type,
      `Router interface for subnet ${subnetId} on router ${id} cannot be deleted, as it is required by one or more ${by}.`,
    )
  if (await leadsFloatingIps(tx, id, subnetId)) throw inUse('RouterInterfaceInUseByFloatingIP', 'floating IPs')
  const isReachable = (nexthop: string, through: string) => prefixContains(parsePrefix(through)!, parseAddress(nexthop)!)
  if (routes.some(({ nexthop }) => isReachable(nexthop, cidr) && !remaining.some((other) => isReachable(nexthop, other.cidr))))
    throw inUse('RouterInterfaceInUseByRoute', 'routes')
}
