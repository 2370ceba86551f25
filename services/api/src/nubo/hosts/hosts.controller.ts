import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common'
import { Once, type HostRow } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { CurrentRequestKey, Guarded, Idempotent } from '@nubo/service-kit'
import { z } from 'zod'
import { fenceHostPolicy, listHostsPolicy, releaseHostPolicy, showHostPolicy } from './hosts.policies.js'
import { HostsService } from './hosts.service.js'
import { hostView, inspectedHostView } from './hosts.views.js'

/** There is nothing to choose yet. */
const noBody = z.strictObject({}).optional()

/** The life of hosts: what stands in the way of one, and an operator's word on it. */
@Controller('nubo/v1/hosts')
export class HostsController {
  constructor(private readonly hosts: HostsService) {}

  @Get()
  @Guarded(listHostsPolicy)
  async list() {
    const { hosts, heard } = await this.hosts.list()
    return { hosts: hosts.map(hostView), hosts_are_heard: heard }
  }

  @Get(':id')
  @Guarded(showHostPolicy)
  async show(@Param('id') id: string) {
    return { host: inspectedHostView(await this.hosts.inspect(id)) }
  }

  @Post(':id/fence')
  @HttpCode(200)
  @Guarded(fenceHostPolicy)
  @Idempotent()
  async fence(
    @Param('id') id: string,
    @Body({ schema: noBody }) _body: unknown,
    @CurrentRequestKey() key: RequestKey | undefined,
  ) {
    return answer(await this.hosts.fence(id, new Once(key, answer)))
  }

  @Post(':id/release')
  @HttpCode(200)
  @Guarded(releaseHostPolicy)
  @Idempotent()
  async release(
    @Param('id') id: string,
    @Body({ schema: noBody }) _body: unknown,
    @CurrentRequestKey() key: RequestKey | undefined,
  ) {
    return answer(await this.hosts.release(id, new Once(key, answer)))
  }
}

const answer = (host: HostRow) => ({ host: hostView(host) })
