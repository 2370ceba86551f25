import { Inject, Injectable } from '@nestjs/common'
import { DATABASE } from '@nubo/control-plane'
import {
  deleteNetwork,
  insertRecord,
  lockNetwork,
  networkRecords,
  noteNetworkChange,
  prefixesOfNetwork,
  shareNetwork,
  unshareNetwork,
  updateRecord,
  isUniqueViolation,
  isUsedByOthers,
  hasExternalUse,
  type Database,
  type NetworkRow,
  type Transaction,
} from '@nubo/database'
import { networkError, parsePrefix } from '@nubo/domain'
import { newId, type NetworkId, type Random } from '@nubo/kernel'
import { CONFIGURATION, RANDOM } from '@nubo/service-kit'
import type { ApiConfiguration } from '../../configuration.js'
import { assertZones } from '../agents/network-zones.js'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { networks } from './networks.js'
import { assertWideEnough, flatTaken, mtuWithin, segmentFor, vniTaken } from './segments.js'

type NetworkAttributes = AttributesOf<typeof networks>

@Injectable()
export class NetworksService extends CountedResourceService<ColumnsOf<typeof networks>, NetworkAttributes> {
  private readonly underlayMtu: number

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
    @Inject(CONFIGURATION) configuration: ApiConfiguration,
  ) {
    super(networks, 'network', database)
    this.underlayMtu = configuration.networks.underlayMtu
  }

  protected async insertOne(tx: Transaction, wanted: Wanted<NetworkAttributes>): Promise<string> {
    assertZones(wanted.availability_zone_hints)
    const id = newId<NetworkId>(this.random)
    const segment = await segmentFor(tx, wanted)
    const record = {
      id,
      projectId: wanted.project_id,
      name: wanted.name,
      description: wanted.description,
      adminStateUp: wanted.admin_state_up,
      mtu: mtuWithin(this.underlayMtu, segment.networkType, wanted.mtu),
      external: wanted['router:external'],
      isDefault: wanted.is_default,
      portSecurityEnabled: wanted.port_security_enabled,
      dnsDomain: wanted.dns_domain,
      zoneHints: wanted.availability_zone_hints,
      ...segment,
    }
    await orTaken(insertRecord(tx, networkRecords, record), record)
    if (wanted.shared) await shareNetwork(tx, { id: newId(this.random), networkId: id, action: 'access_as_shared' })
    if (record.external) await shareNetwork(tx, { id: newId(this.random), networkId: id, action: 'access_as_external' })
    return id
  }

  protected async change(tx: Transaction, row: NetworkRow, changes: Changes<NetworkAttributes>): Promise<void> {
    await this.changeShares(tx, row, changes)
    const mtu = changes.mtu === undefined ? undefined : await this.mtuAfter(tx, row, changes.mtu)
    const changed = {
      name: changes.name,
      description: changes.description,
      adminStateUp: changes.admin_state_up,
      mtu,
      external: changes['router:external'],
      isDefault: changes.is_default,
      portSecurityEnabled: changes.port_security_enabled,
      dnsDomain: changes.dns_domain,
    }
    const isChanged = await orTaken(updateRecord(tx, networkRecords, row, changed), row)
    if (isChanged) await noteNetworkChange(tx, 'network', row.id)
  }

  private async mtuAfter(tx: Transaction, { id, networkType }: NetworkRow, wanted: number): Promise<number> {
    const mtu = mtuWithin(this.underlayMtu, networkType, wanted)
    for (const { cidr } of await prefixesOfNetwork(tx, id)) assertWideEnough({ id, mtu }, parsePrefix(cidr)!)
    return mtu
  }

  protected async remove(tx: Transaction, { id }: NetworkRow): Promise<void> {
    const left = await deleteNetwork(tx, id)
    if (left > 0)
      throw networkError(
        'Conflict',
        'NetworkInUse',
        `Unable to complete operation on network ${id}. There are one or more ports still in use on the network.`,
      )
  }

  private async changeShares(tx: Transaction, row: NetworkRow, changes: Changes<NetworkAttributes>): Promise<void> {
    const { id: networkId } = row
    const { shared, 'router:external': external } = changes
    // Whoever is just making something there is waited for, and then seen.
    if (shared === false || external === false) await lockNetwork(tx, networkId, 'deletion')
    if (shared === true) await shareNetwork(tx, { id: newId(this.random), networkId, action: 'access_as_shared' })
    if (shared === false && (await unshareNetwork(tx, networkId, 'access_as_shared')) && (await isUsedByOthers(tx, networkId)))
      throw networkError(
        'Conflict',
        'InvalidSharedSetting',
        `Unable to reconfigure sharing settings for network ${row.name}. Multiple tenants are using it.`,
      )
    if (external === true) await shareNetwork(tx, { id: newId(this.random), networkId, action: 'access_as_external' })
    if (external === false && row.external) {
      if (await hasExternalUse(tx, networkId))
        throw networkError(
          'Conflict',
          'ExternalNetworkInUse',
          `External network ${networkId} cannot be updated to be made non-external, since it has existing gateway ports.`,
        )
      await unshareNetwork(tx, networkId, 'access_as_external')
    }
  }
}

/** What the table's own rules refuse, in Neutron's words. */
async function orTaken<T>(work: Promise<T>, { vni, physicalNetwork }: Pick<NetworkRow, 'vni' | 'physicalNetwork'>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error, 'networks_vni_key')) throw vniTaken(vni)
    if (isUniqueViolation(error, 'networks_flat_key')) throw flatTaken(physicalNetwork)
    if (isUniqueViolation(error, 'networks_default_key'))
      throw networkError('Conflict', 'DefaultExternalNetworkExists', 'A default external network already exists.')
    throw error
  }
}
