import type { HostId } from '@nubo/kernel'
import type { Resources } from './host-snapshot.js'

/** A host that is not to be asked again for this server. */
export interface ExcludedHost {
  hostId: HostId
  name: string
  /** Why, for a person: 'its image could not be fetched'. */
  why: string
}

/** What one server asks of a host: its flavor, and where it may go. Plain data; stored with the decision. */
export interface PlacementRequest extends Resources {
  architecture?: string
  availabilityZone?: string
  /** Only these may be picked, if given. */
  onlyHosts?: HostId[]
  /** These were tried already. */
  excludedHosts?: ExcludedHost[]
}
