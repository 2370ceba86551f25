import type { ServiceRow } from '@nubo/database'
import { withSource, zonelessTimestamp } from '@nubo/wire'

/** The zone of every host. */
export const computeZone = 'nova'
/** The zone of what belongs to no host. */
export const internalZone = 'internal'

export const computeBinary = 'nova-compute'
export const zoneOf = (service: ServiceRow): string => (service.binary === computeBinary ? computeZone : internalZone)

/** The newest version's shape (2.96). */
export function serviceView(service: ServiceRow) {
  const view = {
    id: service.id,
    binary: service.binary,
    host: service.host,
    zone: zoneOf(service),
    status: service.enabled ? 'enabled' : 'disabled',
    state: service.alive ? 'up' : 'down',
    updated_at: service.lastHeardAt && zonelessTimestamp(service.lastHeardAt),
    disabled_reason: service.disabledReason,
    forced_down: service.forcedDown,
  }
  return withSource(view, service)
}
