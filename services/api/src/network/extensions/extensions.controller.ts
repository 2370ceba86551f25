import { Controller, Get, Param, Query } from '@nestjs/common'
import { anyCaller, policy } from '@nubo/auth'
import { CloudError } from '@nubo/kernel'
import { Guarded } from '@nubo/service-kit'
import { anyQuery, type AnyQuery } from '../base/listing-query.js'
import { chosen } from '../base/plain-list.js'
import { extensions } from './extensions.js'

const extensionsPolicy = policy('get_extension', 'List and show extensions of the network API.', anyCaller)

/** https://docs.openstack.org/api-ref/network/v2/#extensions */
@Controller('v2.0/extensions')
export class NetworkExtensionsController {
  @Get()
  @Guarded(extensionsPolicy)
  list(@Query({ schema: anyQuery }) query: AnyQuery) {
    return { extensions: chosen(extensions, query, 'alias') }
  }

  @Get(':alias')
  @Guarded(extensionsPolicy)
  show(@Param('alias') alias: string) {
    const extension = extensions.find((each) => each.alias === alias)
    if (!extension) throw new CloudError('NotFound', `Extension with alias ${alias} does not exist`)
    return { extension }
  }
}
