import { Controller, Get } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'
import { computeRange } from './microversions/registry.js'

const { major, minimum, maximum } = computeRange
const version = {
  id: 'v2.1',
  status: 'CURRENT',
  version: `${major}.${maximum}`,
  min_version: `${major}.${minimum}`,
  updated: '2013-07-23T11:33:21Z',
}

/** Nova's version documents (`nova/doc/api_samples/versions`, `nova/api/openstack/compute/versions.py`). */
@Controller()
export class ComputeVersionController {
  /** Of the mount itself, which the root is not part of. */
  @Get('compute')
  @Public()
  list(@BaseUrl() baseUrl: string) {
    return { versions: [{ ...version, links: [{ rel: 'self', href: `${baseUrl}/compute/v2.1/` }] }] }
  }

  @Get('v2.1')
  @Public()
  show(@BaseUrl() baseUrl: string) {
    return {
      version: {
        ...version,
        links: [
          { rel: 'self', href: `${baseUrl}/v2.1/` },
          { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
        ],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
      },
    }
  }
}
