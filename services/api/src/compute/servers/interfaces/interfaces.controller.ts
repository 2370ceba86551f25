import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common'
import type { Caller } from '@nubo/auth'
import { Once, type ServerInterface } from '@nubo/database'
import type { RequestId, RequestKey } from '@nubo/kernel'
import { AddsWork, CurrentCaller, CurrentRequestId, CurrentRequestKey, Guarded, Idempotent, Operation } from '@nubo/service-kit'
import { attachInterfacePolicy, detachInterfacePolicy, listInterfacesPolicy, showInterfacePolicy } from './interfaces.policies.js'
import { attachInterfaceBody, type AttachInterfaceBody } from './interfaces.schemas.js'
import { InterfacesService } from './interfaces.service.js'
import { interfaceView } from './interfaces.views.js'

/** https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface */
@Controller('v2.1/servers/:id/os-interface')
export class InterfacesController {
  constructor(private readonly interfaces: InterfacesService) {}

  @Get()
  @Guarded(listInterfacesPolicy)
  @Operation('server-interface.list', { interfaceAttachments: ['server-interface'] })
  async list(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    return { interfaceAttachments: (await this.interfaces.list(caller, id)).map(interfaceView) }
  }

  @Get(':port')
  @Guarded(showInterfacePolicy)
  @Operation('server-interface.show', { interfaceAttachment: 'server-interface' })
  async show(@CurrentCaller() caller: Caller, @Param('id') id: string, @Param('port') port: string) {
    return { interfaceAttachment: interfaceView(await this.interfaces.find(caller, id, port)) }
  }

  @Post()
  @HttpCode(200)
  @Guarded(attachInterfacePolicy)
  @AddsWork()
  @Operation('server-interface.create', { interfaceAttachment: 'server-interface' })
  @Idempotent()
  async attach(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body({ schema: attachInterfaceBody }) body: AttachInterfaceBody,
    @CurrentRequestId() requestId: RequestId,
    @CurrentRequestKey() key: RequestKey | undefined,
  ) {
    const answer = (made: ServerInterface) => ({ interfaceAttachment: interfaceView(made) })
    const how = { requestId, once: new Once(key, answer) }
    return answer(await this.interfaces.attach(caller, id, body.interfaceAttachment, how))
  }

  @Delete(':port')
  @HttpCode(202)
  @Guarded(detachInterfacePolicy)
  @Operation('server-interface.delete')
  async detach(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('port') port: string,
    @CurrentRequestId() requestId: RequestId,
  ) {
    await this.interfaces.detach(caller, id, port, requestId)
  }
}
