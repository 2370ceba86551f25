import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  createPorts,
  deletePorts,
  deleteRecord,
  floatingIpRecords,
  giveBackNetworkQuota,
  holdForRouter,
  insertRecord,
  isUniqueViolation,
  lockRecord,
  networkRecords,
  noteNetworkChange,
  prefixesOfNetwork,
  updateRecord,
  type Database,
  type FloatingIpRow,
  type GivenAddress,
  type Transaction,
} from '@nubo/database'
import { badRequest, deviceOwners, networkError, parsePrefix, type WantedAddress } from '@nubo/domain'
import { newId, type FloatingIpId, type PortId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import { viewerOf } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { networks } from '../networks/networks.js'
import { associate, nowhere, type Association } from './association.js'
import { floatingIps } from './floating-ips.js'

type FloatingIpAttributes = AttributesOf<typeof floatingIps>
type WantedFloatingIp = Wanted<FloatingIpAttributes>

@Injectable()
export class FloatingIpsService extends CountedResourceService<ColumnsOf<typeof floatingIps>, FloatingIpAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(floatingIps, 'floatingip', database)
  }

  protected async insertOne(tx: Transaction, wanted: WantedFloatingIp, caller: Caller): Promise<string> {
    const { floating_network_id: networkId, project_id: projectId } = wanted
    const network = await lockRecord(tx, networkRecords, viewerOf(caller), networkId, 'use')
    if (!network) throw networks.notFound(networkId)
    if (!network.external) throw badRequest('floatingip', `Network ${networkId} is not a valid external network`)
    const id = newId<FloatingIpId>(this.random)
    const leads = await associationOf(tx, wanted, { id, networkId, projectId }, caller)
    const port = await this.makePort(tx, id, wanted)
    const record = {
      id,
      projectId,
      networkId,
      ...port,
      description: wanted.description,
      dnsName: wanted.dns_name,
      dnsDomain: wanted.dns_domain,
      ...leads,
    }
    await orAssociated(insertRecord(tx, floatingIpRecords, record), record)
    await tellOfLeads(tx, leads)
    return id
  }

  protected async change(
    tx: Transaction,
    row: FloatingIpRow,
    changes: Changes<FloatingIpAttributes>,
    caller: Caller,
  ): Promise<void> {
    const leads = await associationOf(tx, changes, row, caller, row)
    const changed = { description: changes.description, ...leads }
    const isChanged = await orAssociated(updateRecord(tx, floatingIpRecords, row, changed), { ...row, ...leads })
    if (!isChanged) return
    await tellOfLeads(tx, row, leads)
  }

  protected async remove(tx: Transaction, row: FloatingIpRow): Promise<void> {
    const { id, projectId, portId, routerId } = row
    await deleteRecord(tx, floatingIpRecords, id)
    if (routerId !== null) await holdForRouter(tx, portId, routerId)
    await tellOfLeads(tx, row)
    await deletePorts(tx, [portId as PortId])
    await giveBackNetworkQuota(tx, projectId, { floatingip: 1 })
  }

  /** The port that holds the address. As in Neutron it is nobody's: neither seen nor counted. */
  private async makePort(tx: Transaction, id: string, wanted: WantedFloatingIp): Promise<{ portId: string; address: string }> {
    const { floating_network_id: networkId } = wanted
    const [port] = await createPorts(
      tx,
      [
        {
          id: newId<PortId>(this.random),
          networkId,
          projectId: '',
          deviceId: id,
          deviceOwner: deviceOwners.floatingIp,
          portSecurityEnabled: false,
          wanted: [await this.addressFor(tx, wanted)],
        },
      ],
      this.random,
    )
    const [given] = port!.addresses as readonly [GivenAddress]
    return { portId: port!.id, address: given.address }
  }

  /** Floating IPs are of IPv4 alone. */
  private async addressFor(tx: Transaction, wanted: WantedFloatingIp): Promise<WantedAddress> {
    const { floating_network_id: networkId, floating_ip_address: address, subnet_id: subnetId } = wanted
    if (address !== undefined || subnetId) return { ...(address && { address }), ...(subnetId && { subnetId }) }
    const subnets = await prefixesOfNetwork(tx, networkId)
    const subnet = subnets.find(({ cidr }) => parsePrefix(cidr)!.family === 4)
    if (!subnet) throw badRequest('floatingip', `Network ${networkId} does not contain any IPv4 subnet`)
    return { subnetId: subnet.id }
  }
}

/** The routers make these ways or end them, and guests are told by their hosts under which address they are known outside. */
async function tellOfLeads(tx: Transaction, ...ways: readonly Association[]): Promise<void> {
  const distinct = (ids: readonly (string | null)[]) => new Set(ids.filter((id) => id !== null))
  await noteNetworkChange(tx, 'router', ...distinct(ways.map(({ routerId }) => routerId)))
  await noteNetworkChange(tx, 'port', ...distinct(ways.map(({ fixedPortId }) => fixedPortId)))
}

/** Where it will lead, as far as a request says anything of it; else where it leads `before`. */
async function associationOf(
  tx: Transaction,
  { port_id: portId, fixed_ip_address: fixedAddress }: Changes<FloatingIpAttributes>,
  floating: { id: string; networkId: string; projectId: string },
  caller: Caller,
  before: Association = nowhere,
): Promise<Association> {
  const { fixedPortId, fixedAddress: address, routerId } = before
  const named = portId === undefined && fixedAddress ? fixedPortId : portId
  if (fixedAddress && !named) throw badRequest('floatingip', 'fixed_ip_address cannot be specified without a port_id')
  if (named === undefined) return { fixedPortId, fixedAddress: address, routerId }
  return named === null ? nowhere : await associate(tx, { portId: named, fixedAddress, floating }, caller)
}

/** An address has one floating IP. */
async function orAssociated<T>(
  work: Promise<T>,
  row: Association & { id: string; address: string; networkId: string },
): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isUniqueViolation(error, 'floating_ips_fixed_port_id_fixed_address_key')) throw error
    throw networkError(
      'Conflict',
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${row.address} (${row.id}) with port ${row.fixedPortId} using fixed IP ${row.fixedAddress}, ` +
        `as that fixed IP already has a floating IP on external network ${row.networkId}.`,
    )
  }
}
