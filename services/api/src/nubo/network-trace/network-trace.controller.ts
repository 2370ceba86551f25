import { Controller, Get, Param, Query } from '@nestjs/common'
import { isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import { CurrentCaller, Guarded } from '@nubo/service-kit'
import { networkTracePolicy } from './network-trace.policies.js'
import { networkTraceQuery, type NetworkTraceQuery } from './network-trace.schemas.js'
import { NetworkTraceService } from './network-trace.service.js'
import { networkTraceView } from './network-trace.views.js'

/** Which rule, hop by hop, lets a packet of a server through or drops it. Ours, beside OpenStack's API. */
@Controller('nubo/v1/servers/:id/network-trace')
export class NetworkTraceController {
  constructor(private readonly traces: NetworkTraceService) {}

  @Get()
  @Guarded(networkTracePolicy)
  async show(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query({ schema: networkTraceQuery }) query: NetworkTraceQuery,
  ) {
    const way = await this.traces.trace(caller, id, query)
    return { network_trace: networkTraceView(way, { projectId: isCloudAdmin(caller) ? null : projectOf(caller) }) }
  }
}
