import { Controller, Get } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'
import { computeRange } from './microversions/registry.js'

const { major, minimum, maximum } = computeRange

/** GET /v2.1: Nova's version document (`nova/doc/api_samples/versions/v21-version-get-resp.json`). */
@Controller('v2.1')
export class ComputeVersionController {
  @Get()
  @Public()
  show(@BaseUrl() baseUrl: string) {
    return {
      version: {
        id: 'v2.1',
        status: 'CURRENT',
        version: `${major}.${maximum}`,
        min_version: `${major}.${minimum}`,
        updated: '2013-07-23T11:33:21Z',
        links: [
          { rel: 'self', href: `${baseUrl}/v2.1/` },
          { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
        ],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
      },
    }
  }
}
