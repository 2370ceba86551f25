import { canonicalAddress, parseAddress, parsePrefix, prefixContains, printPrefix } from '../addresses/index.js'
import { networkError } from './network-error.js'
import type { HostRoute } from './subnet-rules.js'

/** Where a router has an address. */
export interface ConnectedSubnet {
  cidr: string
  address: string
}

/** Neutron's limit (neutron/conf/db/extraroute_db.py). */
const mostRoutes = 30

/** Routes with one text for each, each once. */
export function canonicalRoutes(routes: readonly HostRoute[]): HostRoute[] {
  const seen = new Map<string, HostRoute>()
  for (const { destination, nexthop } of routes) {
    const route = { destination: printPrefix(parsePrefix(destination)!), nexthop: canonicalAddress(nexthop)! }
    seen.set(keyOf(route), route)
  }
  return [...seen.values()]
}

export const keyOf = ({ destination, nexthop }: HostRoute): string => `${destination} ${nexthop}`

/** Throws Invalid for routes that a router with these addresses cannot have (neutron/db/extraroute_db.py). */
export function checkRoutes(routerId: string, routes: readonly HostRoute[], connected: readonly ConnectedSubnet[]): void {
  if (routes.length > mostRoutes)
    throw networkError(
      'Invalid',
      'RoutesExhausted',
      `Unable to complete operation for ${routerId}. The number of routes exceeds the maximum ${mostRoutes}.`,
    )
  for (const route of routes) {
    const nexthop = parseAddress(route.nexthop)!
    if (!connected.some(({ cidr }) => prefixContains(parsePrefix(cidr)!, nexthop)))
      throw invalidRoutes(route, 'the nexthop is not connected with router')
    if (connected.some(({ address }) => address === route.nexthop)) throw invalidRoutes(route, 'the nexthop is used by router')
  }
}

const invalidRoutes = (route: HostRoute, why: string) =>
  networkError('Invalid', 'InvalidRoutes', `Invalid format for routes: ${keyOf(route).replace(' ', ' via ')}, ${why}`)
