import { Inject, Injectable } from '@nestjs/common'
import { enforce, isCloudAdmin, policy, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteSubnet,
  findRecord,
  giveBackNetworkQuota,
  insertRecord,
  lockNetwork,
  lockRecord,
  networkRecords,
  noteNetworkChange,
  portAtGateway,
  prefixesOfNetwork,
  settleServicePort,
  subnetRecords,
  touchRecord,
  updateRecord,
  type Database,
  type NetworkRow,
  type SubnetRow,
  type Transaction,
} from '@nubo/database'
import {
  checkDhcpRoom,
  checkGatewayOutside,
  checkHostRoutes,
  checkModes,
  checkNameServers,
  gatewayWithin,
  invalidInput,
  isAutomatic,
  networkError,
  parsePool,
  parsePrefix,
  poolsWithin,
  prefixesOverlap,
  printAddress,
  printPrefix,
  usualGateway,
  type Address,
  type Prefix,
} from '@nubo/domain'
import { newId, type Random, type SubnetId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import { viewerOf } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import type { Locking } from '../base/resource.service.js'
import { networks } from '../networks/networks.js'
import { assertWideEnough } from '../networks/segments.js'
import { prefixFor } from './subnet-prefix.js'
import { subnets } from './subnets.js'

type SubnetAttributes = AttributesOf<typeof subnets>
type WantedSubnet = Wanted<SubnetAttributes>

/** Subnets are the network's owner's to make. */
const inOthersNetwork = policy('create_subnet:network_id', 'Make a subnet of a network.', isCloudAdmin)

@Injectable()
export class SubnetsService extends CountedResourceService<ColumnsOf<typeof subnets>, SubnetAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(subnets, 'subnet', database)
  }

  protected async insertOne(tx: Transaction, wanted: WantedSubnet, caller: Caller): Promise<string> {
    const network = await lockOwnNetwork(tx, wanted.network_id, caller)
    const { prefix, subnetPoolId } = await prefixFor(tx, wanted, viewerOf(caller))
    await refuseOverlap(tx, network.id, prefix)
    const id = newId<SubnetId>(this.random)
    const record = { id, subnetPoolId, ...recordOf(wanted, prefix, network) }
    checkNameServers(record.dnsNameservers, prefix.family, id)
    checkHostRoutes(record.hostRoutes, prefix.family, id)
    await insertRecord(tx, subnetRecords, record)
    await this.settle(tx, network.id)
    await touchRecord(tx, networkRecords, network.id)
    return id
  }

  protected async change(tx: Transaction, row: SubnetRow, changes: Changes<SubnetAttributes>): Promise<void> {
    const prefix = parsePrefix(row.cidr)!
    const { dns_nameservers: servers, host_routes: routes, enable_dhcp: dhcp } = changes
    checkNameServers(servers ?? [], prefix.family, row.id)
    checkHostRoutes(routes ?? [], prefix.family, row.id)
    if (dhcp === false) checkModes(row, prefix, false)
    if (dhcp === true && !row.dhcp) checkDhcpRoom(prefix)
    const { gateway, pools } = await rangesAfter(tx, row, prefix, changes)
    const isChanged = await updateRecord(tx, subnetRecords, row, {
      name: changes.name,
      description: changes.description,
      gateway,
      pools,
      dhcp,
      dnsNameservers: servers,
      hostRoutes: routes,
      serviceTypes: changes.service_types,
      dnsPublish: changes.dns_publish_fixed_ip,
    })
    if (isChanged) await this.settle(tx, row.networkId)
  }

  protected async remove(tx: Transaction, row: SubnetRow): Promise<void> {
    const { id, networkId, projectId } = row
    const isDeleted = await deleteSubnet(tx, { id, hasAutomaticAddresses: isAutomatic(row) })
    if (!isDeleted)
      throw networkError(
        'Conflict',
        'SubnetInUse',
        `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
      )
    await this.settle(tx, networkId)
    await touchRecord(tx, networkRecords, networkId)
    await giveBackNetworkQuota(tx, projectId, { subnet: 1 })
  }

  /**
   * Its network is locked before a subnet: what follows from a change of one subnet takes addresses of all of them. Who changed or
   * deleted two of a network at once waited for one another in a circle, a second, until PostgreSQL broke it.
   */
  protected override async lock(tx: Transaction, caller: Caller, id: string, expected: Locking = {}): Promise<SubnetRow> {
    const subnet = await findRecord(tx, subnetRecords, viewerOf(caller), id)
    if (subnet) await lockNetwork(tx, subnet.networkId, 'change')
    return await super.lock(tx, caller, id, expected)
  }

  /** What follows for its network from any change of its subnets. */
  private async settle(tx: Transaction, networkId: string): Promise<void> {
    await settleServicePort(tx, networkId, this.random)
    await noteNetworkChange(tx, 'network', networkId)
  }
}

/** The network of a new subnet: no other is made of it at the same time. */
async function lockOwnNetwork(tx: Transaction, id: string, caller: Caller): Promise<NetworkRow> {
  const network = await lockRecord(tx, networkRecords, viewerOf(caller), id)
  if (!network) throw networks.notFound(id)
  if (!networks.mayChange(network, caller)) enforce(inOthersNetwork, caller)
  return network
}

async function refuseOverlap(tx: Transaction, networkId: string, prefix: Prefix): Promise<void> {
  const others = await prefixesOfNetwork(tx, networkId)
  if (others.some(({ cidr }) => prefixesOverlap(parsePrefix(cidr)!, prefix)))
    throw invalidInput(
      `Requested subnet with cidr: ${printPrefix(prefix)} for network: ${networkId} overlaps with another subnet`,
    )
}

function recordOf(wanted: WantedSubnet, prefix: Prefix, network: NetworkRow) {
  assertWideEnough(network, prefix)
  const modes = { raMode: wanted.ipv6_ra_mode, addressMode: wanted.ipv6_address_mode }
  checkModes(modes, prefix, wanted.enable_dhcp)
  if (wanted.enable_dhcp) checkDhcpRoom(prefix)
  const gateway = gatewayFor(wanted.gateway_ip, prefix)
  return {
    projectId: wanted.project_id,
    networkId: wanted.network_id,
    name: wanted.name,
    description: wanted.description,
    ipVersion: prefix.family,
    cidr: printPrefix(prefix),
    gateway: gateway ? printAddress(gateway) : null,
    dhcp: wanted.enable_dhcp,
    pools: poolsWithin(prefix, gateway, wanted.allocation_pools),
    dnsNameservers: wanted.dns_nameservers,
    hostRoutes: wanted.host_routes,
    ...modes,
    serviceTypes: wanted.service_types,
    dnsPublish: wanted.dns_publish_fixed_ip,
  }
}

function gatewayFor(named: string | null | undefined, prefix: Prefix): Address | undefined {
  if (named === undefined) return usualGateway(prefix)
  return named === null ? undefined : gatewayWithin(prefix, named)
}

/** Gateway and pools as they will be. Undefined is what stays. */
async function rangesAfter(tx: Transaction, row: SubnetRow, prefix: Prefix, changes: Changes<SubnetAttributes>) {
  const { gateway_ip: named, allocation_pools: namedPools } = changes
  const before = row.gateway === null ? undefined : gatewayFor(row.gateway, prefix)
  const gateway = named === undefined ? before : gatewayFor(named, prefix)
  const text = gateway ? printAddress(gateway) : null
  if (text !== row.gateway && row.gateway !== null) await refuseWhereUsed(tx, row.id, row.gateway)
  const pools = namedPools && poolsWithin(prefix, gateway, namedPools)
  if (!pools && named !== undefined)
    checkGatewayOutside(
      row.pools.map((pool) => parsePool(pool)!),
      gateway,
    )
  return { gateway: text, pools }
}

async function refuseWhereUsed(tx: Transaction, subnetId: string, gateway: string): Promise<void> {
  const portId = await portAtGateway(tx, subnetId, gateway)
  if (portId !== undefined)
    throw networkError(
      'Conflict',
      'GatewayIpInUse',
      `Current gateway ip ${gateway} already in use by port ${portId}. Unable to update.`,
    )
}
