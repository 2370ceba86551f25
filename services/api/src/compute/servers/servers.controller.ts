import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common'
import { isCloudAdmin, type Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import { CloudError, type RequestId, type RequestKey } from '@nubo/kernel'
import {
  AddsWork,
  ApiVersion,
  BaseUrl,
  CurrentCaller,
  CurrentRequestId,
  CurrentRequestKey,
  Guarded,
  Idempotent,
  Located,
  Operation,
} from '@nubo/service-kit'
import { pageUrl } from '@nubo/wire'
import { ChangesHosts } from '../../network/hints/changes-hosts.js'
import { CreateServersService, type CreatedServers } from './create-servers.service.js'
import type { ServerQuery } from './server-query.js'
import {
  createServerPolicy,
  deleteServerPolicy,
  detailServersPolicy,
  listServersPolicy,
  networkAddressesPolicy,
  serverAddressesPolicy,
  showServerPolicy,
  updateServerPolicy,
} from './servers.policies.js'
import { createServerBody, updateServerBody, type CreateServerBody, type UpdateServerBody } from './servers.schemas.js'
import { ServersService, type ServerList } from './servers.service.js'
import { briefAddressesView } from './interfaces/interfaces.views.js'
import { createdServerView, serverBriefView, serverView } from './servers.views.js'

/** Since 2.37 the networks of a new server must be said. */
const networksRequiredSince = 37
/** Since 2.32 networks take a tag, which was lost from 2.37 to 2.41 by mistake. */
const tagsNetworks = (minor: number) => (minor >= 32 && minor < 37) || minor >= 42
/** Until then files could be injected. */
const filesUntil = 57

/** https://docs.openstack.org/api-ref/compute/#servers-servers */
@Controller('v2.1/servers')
export class ServersController {
  constructor(
    private readonly servers: ServersService,
    private readonly creation: CreateServersService,
  ) {}

  @Get()
  @Guarded(listServersPolicy)
  @Operation('server.list', { servers: ['server-brief'] })
  async list(@CurrentCaller() caller: Caller, @Query() query: ServerQuery, @BaseUrl() baseUrl: string) {
    const found = await this.servers.listBriefly(caller, query)
    return {
      servers: found.servers.map((server) => serverBriefView(server, baseUrl)),
      ...nextPage(found, 'servers', query, baseUrl),
    }
  }

  @Get('detail')
  @Guarded(detailServersPolicy)
  @Operation('server.detail', { servers: ['server'] })
  async detail(@CurrentCaller() caller: Caller, @Query() query: ServerQuery, @BaseUrl() baseUrl: string) {
    const found = await this.servers.list(caller, query)
    const extended = isCloudAdmin(caller)
    const ids = found.servers.map((server) => server.id)
    const networking = await this.servers.networking(ids)
    const userData = extended ? await this.servers.userData(ids) : undefined
    const servers = found.servers.map((server) =>
      serverView(server, { baseUrl, extended, networking: networking.of(server.id), userData: userData?.get(server.id) }),
    )
    return { servers, ...nextPage(found, 'servers/detail', query, baseUrl) }
  }

  @Post()
  @HttpCode(202)
  @Guarded(createServerPolicy)
  @AddsWork()
  @Operation('server.create')
  @Idempotent({ server: 'adminPass' })
  @Located(({ server }: { server?: { id: string } }) => server && `/v2.1/servers/${server.id}`)
  async create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: createServerBody }) body: CreateServerBody,
    @CurrentRequestId() requestId: RequestId,
    @CurrentRequestKey() key: RequestKey | undefined,
    @ApiVersion() minor: number,
    @BaseUrl() baseUrl: string,
  ) {
    checkVersionRules(body, minor)
    const groups = body.server.security_groups?.map(({ name }) => name) ?? ['default']
    const answer = ({ servers: [first], reservationId, adminPassword, diskConfig }: CreatedServers) =>
      body.server.return_reservation_id
        ? { reservation_id: reservationId }
        : { server: createdServerView(first!, { adminPassword, diskConfig, groups }, baseUrl) }
    return answer(await this.creation.create(caller, body, requestId, new Once(key, answer)))
  }

  @Get(':id')
  @Guarded(showServerPolicy)
  @Operation('server.show', { server: 'server' })
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @BaseUrl() baseUrl: string) {
    const server = await this.servers.find(caller, id)
    return { server: await this.view(caller, server, baseUrl) }
  }

  @Put(':id')
  @Guarded(updateServerPolicy)
  @ChangesHosts()
  @Operation('server.update', { server: 'server' })
  async update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: updateServerBody }) body: UpdateServerBody,
    @BaseUrl() baseUrl: string,
  ) {
    const server = await this.servers.update(caller, id, body)
    return { server: await this.view(caller, server, baseUrl) }
  }

  @Delete(':id')
  @HttpCode(204)
  @Guarded(deleteServerPolicy)
  @Operation('server.delete')
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string, @CurrentRequestId() requestId: RequestId) {
    await this.servers.delete(caller, id, requestId)
  }

  @Get(':id/ips')
  @Guarded(serverAddressesPolicy)
  @Operation('server.ips')
  async addresses(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return { addresses: briefAddressesView(await this.addressesOf(caller, id)) }
  }

  @Get(':id/ips/:network')
  @Guarded(networkAddressesPolicy)
  @Operation('server.ips-of-network')
  async addressesOfNetwork(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('network') network: string) {
    const found = (await this.addressesOf(caller, id)).filter((address) => address.network === network)
    if (found.length === 0) throw new CloudError('NotFound', 'Network not found')
    return briefAddressesView(found)
  }

  private async addressesOf(caller: Caller, id: string) {
    const server = await this.servers.find(caller, id)
    return (await this.servers.networking([server.id])).of(server.id).addresses
  }

  private async view(caller: Caller, server: Parameters<typeof serverView>[0], baseUrl: string) {
    const extended = isCloudAdmin(caller)
    const userData = extended ? (await this.servers.userData([server.id])).get(server.id) : undefined
    const networking = (await this.servers.networking([server.id])).of(server.id)
    return serverView(server, { baseUrl, extended, networking, userData })
  }
}

/** What an old version took and the newest does not, or the other way round, where no edit of the request can say it. */
function checkVersionRules({ server }: CreateServerBody, minor: number): void {
  if (minor >= networksRequiredSince && server.networks === undefined) {
    throw new CloudError('Invalid', "Invalid input for field/attribute server. 'networks' is a required property")
  }
  const tagged = Array.isArray(server.networks) && server.networks.some(({ tag }) => tag !== undefined)
  if (tagged && !tagsNetworks(minor)) {
    throw new CloudError('Invalid', "Additional properties are not allowed ('tag' was unexpected)")
  }
  if (minor >= filesUntil && server.personality !== undefined) {
    throw new CloudError('Invalid', "Additional properties are not allowed ('personality' was unexpected)")
  }
}

function nextPage(found: ServerList<{ id: string }>, path: string, query: ServerQuery, baseUrl: string) {
  const last = found.servers.at(-1)
  if (!found.more || !last) return {}
  const { statusIsLenient: _, ...asked } = query
  return { servers_links: [{ rel: 'next', href: pageUrl(`${baseUrl}/v2.1/${path}`, asked, { marker: last.id }) }] }
}
