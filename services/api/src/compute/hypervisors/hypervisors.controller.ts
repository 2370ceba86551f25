import { Controller, Get, Inject, Param, Query } from '@nestjs/common'
import type { HypervisorRow } from '@nubo/database'
import { CloudError, type Clock } from '@nubo/kernel'
import { ApiVersion, BaseUrl, CLOCK, Guarded, Operation } from '@nubo/service-kit'
import { withSource } from '@nubo/wire'
import { nextLink } from '../pages.js'
import {
  detailHypervisorsPolicy,
  hypervisorServersPolicy,
  listHypervisorsPolicy,
  searchHypervisorsPolicy,
  showHypervisorPolicy,
  statisticsPolicy,
  uptimePolicy,
} from './hypervisors.policies.js'
import {
  listHypervisorsQuery,
  showHypervisorQuery,
  type ListHypervisorsQuery,
  type ShowHypervisorQuery,
} from './hypervisors.schemas.js'
import { HypervisorsService } from './hypervisors.service.js'
import { hypervisorBriefView, hypervisorView, statisticsView, uptimeOf } from './hypervisors.views.js'

/** https://docs.openstack.org/api-ref/compute/#hypervisors-os-hypervisors */
@Controller('v2.1/os-hypervisors')
export class HypervisorsController {
  constructor(
    private readonly hypervisors: HypervisorsService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Guarded(listHypervisorsPolicy)
  @Operation('hypervisor.list', { hypervisors: ['hypervisor-brief'] })
  async list(
    @Query({ schema: listHypervisorsQuery }) query: ListHypervisorsQuery,
    @ApiVersion() minor: number,
    @BaseUrl() baseUrl: string,
  ) {
    const found = await this.hypervisors.list(query, minor)
    const servers = query.with_servers ? await this.hypervisors.serversOn(found) : undefined
    const hypervisors = found.map((row) => hypervisorBriefView(row, servers && (servers.get(row.id) ?? [])))
    return withPages({ hypervisors }, found, { path: 'os-hypervisors', query, baseUrl })
  }

  @Get('detail')
  @Guarded(detailHypervisorsPolicy)
  @Operation('hypervisor.detail', { hypervisors: ['hypervisor'] })
  async detail(
    @Query({ schema: listHypervisorsQuery }) query: ListHypervisorsQuery,
    @ApiVersion() minor: number,
    @BaseUrl() baseUrl: string,
  ) {
    const found = await this.hypervisors.list(query, minor)
    const servers = query.with_servers ? await this.hypervisors.serversOn(found) : undefined
    const now = this.clock.now()
    const hypervisors = found.map((row) => hypervisorView(row, { servers: servers && (servers.get(row.id) ?? []), now }))
    return withPages({ hypervisors }, found, { path: 'os-hypervisors/detail', query, baseUrl })
  }

  @Get('statistics')
  @Guarded(statisticsPolicy)
  @Operation('hypervisor.statistics')
  async statistics() {
    return { hypervisor_statistics: statisticsView(await this.hypervisors.totals()) }
  }

  @Get(':id')
  @Guarded(showHypervisorPolicy)
  @Operation('hypervisor.show', { hypervisor: 'hypervisor' })
  async show(
    @Param('id') id: string,
    @Query({ schema: showHypervisorQuery }) query: ShowHypervisorQuery,
    @ApiVersion() minor: number,
  ) {
    const found = await this.hypervisors.find(id, minor)
    const servers = query.with_servers ? ((await this.hypervisors.serversOn([found])).get(found.id) ?? []) : undefined
    return { hypervisor: hypervisorView(found, { servers, now: this.clock.now() }) }
  }

  @Get(':id/uptime')
  @Guarded(uptimePolicy)
  @Operation('hypervisor.uptime', { hypervisor: 'hypervisor-brief' })
  async uptime(@Param('id') id: string, @ApiVersion() minor: number) {
    const found = await this.hypervisors.find(id, minor)
    const uptime = uptimeOf(found, this.clock.now())
    if (uptime === null) throw new CloudError('Invalid', `Compute service of ${found.name} is unavailable at this time.`)
    const view = hypervisorBriefView(found)
    return { hypervisor: withSource({ ...view, uptime }, found) }
  }

  @Get(':pattern/search')
  @Guarded(searchHypervisorsPolicy)
  @Operation('hypervisor.search', { hypervisors: ['hypervisor-brief'] })
  async search(@Param('pattern') pattern: string) {
    const found = await this.hypervisors.search(pattern)
    return { hypervisors: found.map((row) => hypervisorBriefView(row)) }
  }

  @Get(':pattern/servers')
  @Guarded(hypervisorServersPolicy)
  @Operation('hypervisor.servers', { hypervisors: ['hypervisor-brief'] })
  async servers(@Param('pattern') pattern: string) {
    const found = await this.hypervisors.search(pattern)
    const servers = await this.hypervisors.serversOn(found)
    return { hypervisors: found.map((row) => hypervisorBriefView(row, servers.get(row.id) ?? [])) }
  }
}

interface Page {
  path: string
  query: ListHypervisorsQuery
  baseUrl: string
}

/** What a page of hypervisors needs to be told again by numbers, for versions before 2.53. */
export interface PageSource {
  linkBy: (marker: (last: HypervisorRow) => string) => object
}

function withPages(body: { hypervisors: object[] }, found: readonly HypervisorRow[], { path, query, baseUrl }: Page) {
  // A pattern and pages do not go together.
  if (query.hypervisor_hostname_pattern !== undefined) return body
  const { limit, with_servers: withServers } = query
  const asked = { marker: query.marker, limit: limit?.toString(), with_servers: withServers?.toString() }
  const page = { name: 'hypervisors_links', path, query: asked, limit, baseUrl }
  const linkBy: PageSource['linkBy'] = (marker) => nextLink(found, marker, page)
  return withSource({ ...body, ...linkBy(({ id }) => id) }, { linkBy } satisfies PageSource)
}
