import { Controller, Get, Param } from '@nestjs/common'
import { anyCaller, policy } from '@nubo/auth'
import { CloudError } from '@nubo/kernel'
import { Guarded, Operation } from '@nubo/service-kit'
import { unroutedMessage } from '@nubo/wire'
import { extensions } from './extensions.js'

const extensionsPolicy = policy('os_compute_api:extensions', 'List the extensions of the API.', anyCaller)

/** https://docs.openstack.org/api-ref/compute/#extensions-extensions-deprecated */
@Controller('v2.1/extensions')
export class ExtensionsController {
  @Get()
  @Guarded(extensionsPolicy)
  @Operation('extension.list')
  list() {
    return { extensions }
  }

  @Get(':alias')
  @Guarded(extensionsPolicy)
  @Operation('extension.show')
  show(@Param('alias') alias: string) {
    const extension = extensions.find((each) => each.alias === alias)
    if (!extension) throw new CloudError('NotFound', unroutedMessage)
    return { extension }
  }
}
