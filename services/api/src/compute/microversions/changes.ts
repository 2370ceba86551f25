import { flavorMicroversions } from '../flavors/flavors.microversions.js'
import { hypervisorMicroversions } from '../hypervisors/hypervisors.microversions.js'
import { keypairMicroversions } from '../keypairs/keypairs.microversions.js'
import { limitsMicroversions } from '../limits/limits.microversions.js'
import { quotaMicroversions } from '../quotas/quotas.microversions.js'
import { securityGroupMicroversions } from '../security-groups/security-groups.microversions.js'
import { serverMicroversions } from '../servers/servers.microversions.js'
import { serviceMicroversions } from '../services/services.microversions.js'
import { microversion, type MicroversionChange } from '@nubo/wire'

/** What changed for every resource at once. */
const frame = [
  microversion('2.1', 'the base that every later version changes'),
  microversion('2.18', 'paths have no project id in any version'),
  microversion('2.27', 'both headers are read and answered in every version'),
  microversion('2.46', 'the header is sent in every version'),
]

/** Every declared change, a list a resource, declared beside it. */
export const changes: readonly MicroversionChange[] = [
  ...frame,
  ...serverMicroversions,
  ...flavorMicroversions,
  ...keypairMicroversions,
  ...quotaMicroversions,
  ...limitsMicroversions,
  ...hypervisorMicroversions,
  ...serviceMicroversions,
  ...securityGroupMicroversions,
]
