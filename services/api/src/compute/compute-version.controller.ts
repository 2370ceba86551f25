import { Controller, Get } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'
import { computeRange } from './microversions/registry.js'

const { major, minimum, maximum } = computeRange

interface Version {
  /** 'v2.1'. */
  id: string
  path: string
  mediaTypeVersion: string
  shown: Readonly<Record<string, string>>
}

/** 2.1 at the place of clients from before it; to them it is as strict as to others, where Nova passes over keys it does not know. */
const former: Version = {
  id: 'v2.0',
  path: 'v2',
  mediaTypeVersion: '2',
  shown: { status: 'SUPPORTED', version: '', min_version: '', updated: '2011-01-21T11:33:21Z' },
}
const current: Version = {
  id: 'v2.1',
  path: 'v2.1',
  mediaTypeVersion: '2.1',
  shown: {
    status: 'CURRENT',
    version: `${major}.${maximum}`,
    min_version: `${major}.${minimum}`,
    updated: '2013-07-23T11:33:21Z',
  },
}

const selfLink = ({ path }: Version, root: string) => ({ rel: 'self', href: `${root}/${path}/` })

const versionView = (version: Version, root: string) => ({
  version: {
    id: version.id,
    ...version.shown,
    links: [selfLink(version, root), { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }],
    'media-types': [
      { base: 'application/json', type: `application/vnd.openstack.compute+json;version=${version.mediaTypeVersion}` },
    ],
  },
})

/** Nova's version documents (`nova/doc/api_samples/versions`, `nova/api/openstack/compute/versions.py`). */
@Controller()
export class ComputeVersionController {
  /** Of the mount itself, which the root is not part of. */
  @Get('compute')
  @Public()
  list(@BaseUrl() baseUrl: string) {
    const root = `${baseUrl}/compute`
    return {
      versions: [former, current].map((version) => ({ id: version.id, ...version.shown, links: [selfLink(version, root)] })),
    }
  }

  @Get('v2.1')
  @Public()
  show(@BaseUrl() baseUrl: string) {
    return versionView(current, baseUrl)
  }

  @Get('v2')
  @Public()
  showFormer(@BaseUrl() baseUrl: string) {
    return versionView(former, baseUrl)
  }
}
