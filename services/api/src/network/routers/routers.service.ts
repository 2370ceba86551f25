import { Inject, Injectable } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  deletePorts,
  deleteRecord,
  giveBackNetworkQuota,
  insertRecord,
  noteNetworkChange,
  routerConnections,
  routerRecords,
  updateRecord,
  type Database,
  type RouterRow,
  type Transaction,
} from '@nubo/database'
import { canonicalRoutes, checkRoutes, networkError, type HostRoute } from '@nubo/domain'
import { newId, type PortId, type Random, type RouterId } from '@nubo/kernel'
import { RANDOM } from '@nubo/service-kit'
import { assertZones } from '../agents/network-zones.js'
import type { Changes, Wanted } from '../base/attribute.js'
import { CountedResourceService } from '../base/counted-resource.service.js'
import type { AttributesOf, ColumnsOf } from '../base/resource.js'
import { settleGateway } from './router-gateway.js'
import { routers } from './routers.js'

type RouterAttributes = AttributesOf<typeof routers>

@Injectable()
export class RoutersService extends CountedResourceService<ColumnsOf<typeof routers>, RouterAttributes> {
  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(RANDOM) private readonly random: Random,
  ) {
    super(routers, 'router', database)
  }

  protected async insertOne(tx: Transaction, wanted: Wanted<RouterAttributes>, caller: Caller): Promise<string> {
    assertZones(wanted.availability_zone_hints)
    const id = newId<RouterId>(this.random)
    const none = { id, gatewayPortId: null, gateway: null, snat: true }
    const gateway = await settleGateway(tx, none, wanted.external_gateway_info, { caller, random: this.random })
    await insertRecord(tx, routerRecords, {
      id,
      projectId: wanted.project_id,
      name: wanted.name,
      description: wanted.description,
      adminStateUp: wanted.admin_state_up,
      zoneHints: wanted.availability_zone_hints,
      ...gateway,
    })
    await noteNetworkChange(tx, 'router', id)
    return id
  }

  protected async change(tx: Transaction, row: RouterRow, changes: Changes<RouterAttributes>, caller: Caller): Promise<void> {
    const { external_gateway_info: wanted } = changes
    const gateway = wanted === undefined ? {} : await settleGateway(tx, row, wanted, { caller, random: this.random })
    const routes = changes.routes && (await this.routesOf(tx, row.id, changes.routes))
    const isChanged = await updateRecord(tx, routerRecords, row, {
      name: changes.name,
      description: changes.description,
      adminStateUp: changes.admin_state_up,
      routes,
      ...gateway,
    })
    if (isChanged) await noteNetworkChange(tx, 'router', row.id)
  }

  protected async remove(tx: Transaction, { id, projectId, gatewayPortId, hostIds }: RouterRow): Promise<void> {
    const connections = await routerConnections(tx, id)
    if (connections.some(({ isGateway }) => !isGateway))
      throw networkError('Conflict', 'RouterInUse', `Router ${id} still has ports`)
    await deleteRecord(tx, routerRecords, id)
    if (gatewayPortId !== null) await deletePorts(tx, [gatewayPortId as PortId])
    await noteNetworkChange(tx, 'host', ...hostIds)
    await giveBackNetworkQuota(tx, projectId, { router: 1 })
  }

  /** Replaces the routes of a router by what `change` makes of them; returns it. */
  async changeRoutes(
    caller: Caller,
    id: string,
    change: (routes: readonly HostRoute[]) => readonly HostRoute[],
  ): Promise<RouterRow> {
    return await this.update(caller, id, (row) => ({ routes: [...change(row.routes)] }))
  }

  private async routesOf(tx: Transaction, routerId: string, wanted: readonly HostRoute[]): Promise<HostRoute[]> {
    const routes = canonicalRoutes(wanted)
    checkRoutes(routerId, routes, await routerConnections(tx, routerId))
    return routes
  }
}
