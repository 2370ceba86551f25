import type { ServiceRow } from '@nubo/database'
import { zonelessTimestamp } from '@nubo/wire'
import { internalZone, zoneOf } from '../services/services.views.js'

/** A zone with a service in it that is enabled is available. */
interface Zone {
  name: string
  available: boolean
  enabled: ServiceRow[]
}

/** In the order: available ones first, the internal one before the others. */
function zonesOf(services: readonly ServiceRow[]): Zone[] {
  const byName = Map.groupBy(services, zoneOf)
  const zones = [...byName].map(([name, members]) => {
    const enabled = members.filter((service) => service.enabled)
    return { name, available: enabled.length > 0, enabled }
  })
  const rank = (zone: Zone) => (zone.available ? 0 : 2) + (zone.name === internalZone ? 0 : 1)
  return zones.toSorted((one, other) => rank(one) - rank(other))
}

export function zonesView(services: readonly ServiceRow[]) {
  return zonesOf(services)
    .filter(({ name }) => name !== internalZone)
    .map(({ name, available }) => ({ zoneName: name, zoneState: { available }, hosts: null }))
}

export function detailedZonesView(services: readonly ServiceRow[]) {
  return zonesOf(services).map(({ name, available, enabled }) => ({
    zoneName: name,
    zoneState: { available },
    hosts: available ? hostsView(enabled) : null,
  }))
}

function hostsView(services: readonly ServiceRow[]) {
  const byHost = Map.groupBy(services, ({ host }) => host)
  return Object.fromEntries(
    [...byHost].map(([host, members]) => [
      host,
      Object.fromEntries(members.map((service) => [service.binary, stateView(service)])),
    ]),
  )
}

function stateView(service: ServiceRow) {
  return {
    available: service.alive,
    active: service.enabled,
    updated_at: service.lastHeardAt && zonelessTimestamp(service.lastHeardAt),
  }
}
