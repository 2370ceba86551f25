import { MicroversionRegistry, type VersionRange } from '@nubo/wire'
import { changes } from './changes.js'

/** What is advertised: every version up to 2.96 has a published schema to be held against. */
export const computeRange: VersionRange = {
  service: 'compute',
  major: 2,
  minimum: 1,
  maximum: 96,
  legacyHeader: 'x-openstack-nova-api-version',
}

export const computeMicroversions = new MicroversionRegistry(computeRange, changes)
