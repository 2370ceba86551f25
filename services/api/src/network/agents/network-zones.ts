import { networkError } from '@nubo/domain'
import { listOfTexts } from '../base/attribute-types.js'

/** Networks and routers are in one zone, whichever host carries them. */
export const networkZone = 'nova'

const longestZone = 255
const noHints: string[] = []

/** What networks and routers show of zones, and where they may be asked to be (`neutron_lib/api/definitions/availability_zone.py`). */
export const zoneAttributes = {
  availability_zone_hints: { column: 'zoneHints', input: listOfTexts(longestZone), on: 'create', default: noHints },
  availability_zones: { view: () => [networkZone] },
} as const

/** Throws NotFound for a zone that is not there. */
export function assertZones(hints: readonly string[]): void {
  const absent = hints.find((zone) => zone !== networkZone)
  if (absent !== undefined)
    throw networkError('NotFound', 'AvailabilityZoneNotFound', `AvailabilityZone ${absent} could not be found.`)
}
