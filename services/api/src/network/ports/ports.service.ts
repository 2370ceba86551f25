import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { CASTER, DATABASE, ENGINE, lockServerOfPort, unplugDeletedPort } from '@nubo/control-plane'
import {
  bindPorts,
  changeAddresses,
  changeGroups,
  createPorts,
  deletePorts,
  findRecord,
  isUniqueViolation,
  lockRecords,
  macInUse,
  networkRecords,
  notePortChange,
  PgOperationTransaction,
  portRecords,
  readRecords,
  routerConnections,
  touchRecord,
  unbindPorts,
  updateRecord,
  type Database,
  type NetworkRow,
  type NewPort,
  type PortRecord,
  type Transaction,
} from '@nubo/database'
import {
  badRequest,
  changeDhcpOptions,
  deviceOwners,
  isRouterInterface,
  isRouterPort,
  readAddressPairs,
  readDhcpOptions,
} from '@nubo/domain'
import { CloudError, newId, type PortId, type Random } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { unroutedMessage } from '@nubo/wire'
import type { Caster, OperationEngine, Opened } from '@nubo/workflow'
import type { Changes, Wanted } from '../base/attribute.js'
import { viewerOf } from '../base/listing-query.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { ResourceService, type Expected, type Locking } from '../base/resource.service.js'
import { networks } from '../networks/networks.js'
import { assertDeletable, assertDevice, hostCalled, isAttached, portBound, portInUse } from './port-devices.js'
import { assertMayGive } from './port-permissions.js'
import { assertGroups, assertGuardOfChanged, assertGuardOfNew } from './port-security.js'
import { ports } from './ports.js'

type PortAttributes = AttributesOf<typeof ports>
type WantedPort = Wanted<PortAttributes>
type PortChanges = Changes<PortAttributes>

@Injectable()
export class PortsService extends ResourceService<ColumnsOf<typeof ports>, PortAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(CASTER) private readonly caster: Caster,
  ) {
    super(ports, database)
  }

  /** The host of a guest that has the port is told at once. */
  override async delete(caller: Caller, id: string, expected: Expected = {}): Promise<void> {
    const opened = await this.database.transaction(async (tx) =>
      this.remove(tx, await this.lock(tx, caller, id, { ...expected, lockFor: 'deletion' })),
    )
    await this.caster.cast([opened])
  }

  protected async insert(tx: Transaction, wanted: readonly WantedPort[], caller: Caller): Promise<string[]> {
    const theirs = await networksOf(tx, wanted, caller)
    const made: NewPort[] = []
    for (const port of wanted) made.push(await this.newPort(tx, port, theirs.get(port.network_id)!, caller))
    await createPorts(tx, made, this.random)
    for (const [index, { 'binding:host_id': hostName = null }] of wanted.entries()) {
      const hostId = await hostCalled(tx, hostName)
      if (hostId !== null) await bindPorts(tx, [made[index]!.id], hostId)
    }
    return made.map(({ id }) => id)
  }

  private async newPort(tx: Transaction, wanted: WantedPort, network: NetworkRow, caller: Caller): Promise<NewPort> {
    assertMayGive('create', wanted, network, caller)
    const isOfNetwork = wanted.device_owner.startsWith('network:')
    const portSecurityEnabled = !isOfNetwork && (wanted.port_security_enabled ?? network.portSecurityEnabled)
    const addressPairs = readAddressPairs(wanted.allowed_address_pairs ?? null)
    const groupIds = wanted.security_groups ?? []
    const projectId = wanted.project_id
    assertGuardOfNew({ portSecurityEnabled, groupIds, addressPairs })
    await assertGroups(tx, { groupIds, projectId }, caller)
    await assertDevice(tx, { deviceId: wanted.device_id, projectId }, caller)
    return {
      id: newId<PortId>(this.random),
      networkId: network.id,
      projectId,
      name: wanted.name,
      description: wanted.description,
      mac: wanted.mac_address,
      adminStateUp: wanted.admin_state_up,
      deviceId: wanted.device_id,
      deviceOwner: wanted.device_owner,
      bindingProfile: wanted['binding:profile'] ?? {},
      portSecurityEnabled,
      allowedAddressPairs: addressPairs,
      extraDhcpOptions: changeDhcpOptions([], readDhcpOptions(wanted.extra_dhcp_opts ?? null)),
      dnsName: wanted.dns_name,
      groups: wanted.security_groups,
      wanted: wanted.fixed_ips,
    }
  }

  protected async change(tx: Transaction, row: PortRecord, changes: PortChanges, caller: Caller): Promise<void> {
    await this.assertChange(tx, row, changes, caller)
    const mac = changes.mac_address ?? row.mac
    const isWritten = await orMacTaken(updateRecord(tx, portRecords, row, toRecord(row, changes)), { ...row, mac })
    const isMoved =
      (changes.fixed_ips !== undefined || mac !== row.mac) &&
      (await changeAddresses(tx, { ...row, mac }, changes.fixed_ips, this.random))
    if (isMoved && isRouterInterface(row.deviceOwner)) await assertStillConnected(tx, row)
    const groupIds = changes.security_groups ?? row.groupIds
    const isRegrouped = groupIds.toSorted().join() !== row.groupIds.toSorted().join()
    if (isRegrouped) await changeGroups(tx, row.id, groupIds)
    if (isMoved || isRegrouped || isWritten) await notePortChange(tx, row.networkId, [...row.groupIds, ...groupIds])
    if (!isWritten && (isMoved || isRegrouped)) await touchRecord(tx, portRecords, row.id)
    await this.rebind(tx, row, changes['binding:host_id'])
  }

  private async assertChange(tx: Transaction, row: PortRecord, changes: PortChanges, caller: Caller): Promise<void> {
    const isTheirs = caller.scope.kind === 'project' && caller.scope.projectId === row.projectId
    if (!isTheirs && !isCloudAdmin(caller)) throw new CloudError('NotFound', unroutedMessage)
    const [network] = await readRecords(tx, networkRecords, { ...viewerOf(caller), seesAll: true }, [row.networkId])
    assertMayGive('update', givenAnew(row, changes), network!, caller)
    await this.assertDeviceStays(tx, row, changes, caller)
    if (row.deviceOwner === deviceOwners.routerGateway && changes.fixed_ips !== undefined) throw addressesStay(row)
    if (changes.security_groups !== undefined)
      await assertGroups(tx, { groupIds: changes.security_groups, projectId: row.projectId }, caller)
    const after = {
      portSecurityEnabled: changes.port_security_enabled ?? row.portSecurityEnabled,
      groupIds: changes.security_groups ?? row.groupIds,
      addressPairs: pairsAfter(row, changes),
    }
    assertGuardOfChanged(after, { groups: changes.security_groups !== undefined })
  }

  /** What a server has, or a host carries, keeps its device and its MAC. */
  private async assertDeviceStays(tx: Transaction, row: PortRecord, changes: PortChanges, caller: Caller): Promise<void> {
    const {
      device_id: deviceId = row.deviceId,
      device_owner: deviceOwner = row.deviceOwner,
      mac_address: mac = row.mac,
    } = changes
    const isOtherDevice = deviceId !== row.deviceId || deviceOwner !== row.deviceOwner
    if (!isOtherDevice && mac === row.mac) return
    if (isRouterPort(row.deviceOwner) || (await isAttached(tx, row))) throw isOtherDevice ? portInUse(row) : portBound(row, mac)
    if (isOtherDevice) await assertDevice(tx, { deviceId, projectId: row.projectId }, caller)
  }

  private async rebind(tx: Transaction, row: PortRecord, hostName: string | null | undefined): Promise<void> {
    if (hostName === undefined) return
    const hostId = await hostCalled(tx, hostName)
    if (hostId === row.hostId) return
    if (row.hostId !== null && (await isAttached(tx, { ...row, hostId: null }))) throw portInUse(row)
    if (hostId === null) await unbindPorts(tx, [row.id])
    else await bindPorts(tx, [row.id], hostId)
  }

  /** A server is locked before its ports: whoever does anything to it does so in this order too. */
  protected override async lock(tx: Transaction, caller: Caller, id: string, expected: Locking = {}): Promise<PortRecord> {
    const isSeen = expected.lockFor === 'deletion' && (await findRecord(tx, portRecords, viewerOf(caller), id)) !== undefined
    if (isSeen) await lockServerOfPort(new PgOperationTransaction(tx), id as PortId)
    return await super.lock(tx, caller, id, expected)
  }

  protected async remove(tx: Transaction, row: PortRecord): Promise<Opened> {
    await assertDeletable(tx, row)
    const opened = await unplugDeletedPort(new PgOperationTransaction(tx), this.engine, row.id as PortId, this.random)
    await deletePorts(tx, [row.id])
    return opened
  }
}

const addressesStay = ({ id }: PortRecord) => badRequest('ports', `IP updates for port ${id} are not allowed`)

/** An interface of a router may have other addresses, of the same subnets: who is behind it counts on these. */
async function assertStillConnected(tx: Transaction, row: PortRecord): Promise<void> {
  const connections = await routerConnections(tx, row.deviceId)
  const now = connections.filter(({ portId }) => portId === row.id).map(({ subnetId }) => subnetId)
  const before = row.fixedAddresses.map(({ subnetId }) => subnetId)
  if (now.toSorted().join() !== before.toSorted().join()) throw addressesStay(row)
}

/** The networks that ports are wanted in, which are shared as they are now until the ports are made. Throws where one is not there for the caller. */
async function networksOf(tx: Transaction, wanted: readonly WantedPort[], caller: Caller): Promise<Map<string, NetworkRow>> {
  const ids = [...new Set(wanted.map(({ network_id: id }) => id))]
  const rows = await lockRecords(tx, networkRecords, viewerOf(caller), ids, 'use')
  const byId = new Map(rows.map((row) => [row.id, row]))
  const absent = ids.find((id) => !byId.has(id))
  if (absent !== undefined) throw networks.notFound(absent)
  return byId
}

const pairsAfter = (row: PortRecord, { allowed_address_pairs: given }: PortChanges) =>
  given === undefined ? row.allowedAddressPairs : readAddressPairs(given)

/** Of what is given, what the port has not got already: to say it again needs no permission. */
function givenAnew(row: PortRecord, { fixed_ips: addresses, ...others }: PortChanges): PortChanges {
  const has: Record<string, unknown> = {
    mac_address: row.mac,
    device_owner: row.deviceOwner,
    port_security_enabled: row.portSecurityEnabled,
  }
  const held = new Set(row.fixedAddresses.map(({ address }) => address))
  const anew = Object.fromEntries(Object.entries(others).filter(([name, value]) => value !== has[name])) as PortChanges
  const newAddresses = addresses?.filter(({ address }) => address === undefined || !held.has(address))
  return newAddresses === undefined ? anew : { ...anew, fixed_ips: newAddresses }
}

function toRecord(row: PortRecord, changes: PortChanges): Partial<PortRecord> {
  const { extra_dhcp_opts: options } = changes
  return {
    name: changes.name,
    description: changes.description,
    mac: changes.mac_address,
    adminStateUp: changes.admin_state_up,
    deviceId: changes.device_id,
    deviceOwner: changes.device_owner,
    bindingProfile: changes['binding:profile'],
    portSecurityEnabled: changes.port_security_enabled,
    allowedAddressPairs: pairsAfter(row, changes),
    extraDhcpOptions: options === undefined ? undefined : changeDhcpOptions(row.extraDhcpOptions, readDhcpOptions(options)),
    dnsName: changes.dns_name,
  } as Partial<PortRecord>
}

async function orMacTaken<T>(work: Promise<T>, { networkId, mac }: { networkId: string; mac: string }): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw isUniqueViolation(error, 'ports_network_id_mac_key') ? macInUse(networkId, mac) : error
  }
}
