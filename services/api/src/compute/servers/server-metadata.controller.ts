import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import { CloudError, type RequestKey } from '@nubo/kernel'
import { CurrentCaller, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { ChangesHosts } from '../../network/hints/changes-hosts.js'
import { ServerMetadataService } from './server-metadata.service.js'
import { deleteMetadataPolicy, readMetadataPolicy, writeMetadataPolicy } from './servers.policies.js'
import { metadataBody, metadataItemBody } from './servers.schemas.js'

type Items = Record<string, string>

/** https://docs.openstack.org/api-ref/compute/#servers-metadata */
@Controller('v2.1/servers/:id/metadata')
@ChangesHosts()
export class ServerMetadataController {
  constructor(private readonly metadata: ServerMetadataService) {}

  @Get()
  @Guarded(readMetadataPolicy)
  @Operation('server-metadata.list')
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return { metadata: await this.metadata.read(caller, id) }
  }

  @Post()
  @HttpCode(200)
  @Guarded(writeMetadataPolicy)
  @Operation('server-metadata.merge')
  @Idempotent()
  async merge(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: metadataBody }) body: { metadata: Items },
    @CurrentRequestKey() key: RequestKey | undefined,
  ) {
    const answer = (metadata: Items) => ({ metadata })
    return answer(await this.metadata.write(caller, id, body.metadata, { replace: false }, new Once(key, answer)))
  }

  @Put()
  @Guarded(writeMetadataPolicy)
  @Operation('server-metadata.replace')
  async replace(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: metadataBody }) body: { metadata: Items },
  ) {
    return { metadata: await this.metadata.write(caller, id, body.metadata, { replace: true }) }
  }

  @Get(':key')
  @Guarded(readMetadataPolicy)
  @Operation('server-metadata.show')
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('key') key: string) {
    return { meta: await this.metadata.readItem(caller, id, key) }
  }

  @Put(':key')
  @Guarded(writeMetadataPolicy)
  @Operation('server-metadata.update')
  async update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('key') key: string,
    @Body({ schema: metadataItemBody }) { meta }: { meta: Items },
  ) {
    if (Object.keys(meta).length !== 1) throw new CloudError('Invalid', 'Request body contains too many items')
    if (!Object.hasOwn(meta, key)) throw new CloudError('Invalid', 'Request body and URI mismatch')
    await this.metadata.write(caller, id, meta, { replace: false })
    return { meta }
  }

  @Delete(':key')
  @HttpCode(204)
  @Guarded(deleteMetadataPolicy)
  @Operation('server-metadata.delete')
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('key') key: string) {
    await this.metadata.delete(caller, id, key)
  }
}
