import { Body, Controller, Param, Put } from '@nestjs/common'
import { policy, projectMemberOrAdmin, type Caller } from '@nubo/auth'
import { canonicalRoutes, keyOf } from '@nubo/domain'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { ChangesHosts } from '../hints/changes-hosts.js'
import { interfaceBody, routesBody, type InterfaceBody, type RoutesBody } from './router-interfaces.schemas.js'
import { RouterInterfacesService, type RouterInterface } from './router-interfaces.service.js'
import { routers } from './routers.js'
import { RoutersService } from './routers.service.js'

const routerPolicy = (verb: string, what: string) => policy(verb, what, projectMemberOrAdmin)
const addInterfacePolicy = routerPolicy('add_router_interface', 'Connect a network to a router.')
const removeInterfacePolicy = routerPolicy('remove_router_interface', 'Disconnect a network from a router.')
const addRoutesPolicy = routerPolicy('add_extraroutes', 'Add routes to a router.')
const removeRoutesPolicy = routerPolicy('remove_extraroutes', 'Take routes from a router.')

/** What is done to routers beyond changing their attributes. */
@Controller('v2.0/routers/:id')
@ChangesHosts()
export class RouterInterfacesController {
  constructor(
    private readonly interfaces: RouterInterfacesService,
    private readonly routers: RoutersService,
  ) {}

  @Put('add_router_interface')
  @Guarded(addInterfacePolicy)
  async add(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body({ schema: interfaceBody }) body: InterfaceBody) {
    return interfaceView(await this.interfaces.add(caller, id, body))
  }

  @Put('remove_router_interface')
  @Guarded(removeInterfacePolicy)
  async remove(@CurrentCaller() caller: Caller, @Param('id') id: string, @Body({ schema: interfaceBody }) body: InterfaceBody) {
    return interfaceView(await this.interfaces.remove(caller, id, body))
  }

  @Put('add_extraroutes')
  @Guarded(addRoutesPolicy)
  async addRoutes(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: routesBody }) { router }: RoutesBody,
  ) {
    return {
      router: routers.view(await this.routers.changeRoutes(caller, id, (routes) => [...routes, ...router.routes]), caller),
    }
  }

  @Put('remove_extraroutes')
  @Guarded(removeRoutesPolicy)
  async removeRoutes(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: routesBody }) { router }: RoutesBody,
  ) {
    const removed = new Set(canonicalRoutes(router.routes).map(keyOf))
    const without = await this.routers.changeRoutes(caller, id, (routes) => routes.filter((route) => !removed.has(keyOf(route))))
    return { router: routers.view(without, caller) }
  }
}

function interfaceView({ router: { id, projectId, tags }, portId, networkId, subnetIds }: RouterInterface) {
  return {
    id,
    tenant_id: projectId,
    project_id: projectId,
    port_id: portId,
    network_id: networkId,
    subnet_id: subnetIds[0],
    subnet_ids: subnetIds,
    tags,
  }
}
