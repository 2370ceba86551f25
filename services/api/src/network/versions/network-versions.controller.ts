import { Controller, Get } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'
import { served } from './served-resources.js'

const versionView = (href: string) => ({ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href }] })

/** Neutron's version documents (`neutron/pecan_wsgi/controllers/root.py`, `neutron/api/versions.py`). */
@Controller()
export class NetworkVersionsController {
  /** Of the mount itself: clients append the version to it. */
  @Get('network')
  @Public()
  list(@BaseUrl() baseUrl: string) {
    return { versions: [versionView(`${baseUrl}/network/v2.0/`)] }
  }

  @Get('v2.0')
  @Public()
  show(@BaseUrl() baseUrl: string) {
    const link = (plural: string) => ({ rel: 'self', href: `${baseUrl}/v2.0/${plural.replaceAll('_', '-')}` })
    return { resources: served.map(({ singular, plural }) => ({ links: [link(plural)], name: singular, collection: plural })) }
  }
}
