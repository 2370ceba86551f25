import type { NetworkId } from '@nubo/kernel'
import { familyOf, isWithin, linkLocalOf } from '../addresses.js'
import { hostNamespace } from '../engine/objects.js'
import type { Piece } from '../engine/piece.js'
import { bridgeOf, gatewayLink, insideRouter, routerLink, routerNamespace } from '../names.js'
import type { Part } from '../part.js'
import type { PortPlan, RouterPlan } from '../plan.js'
import type { HostSettings } from '../settings.js'
import { isBroadcastOf, isSamePrefix } from '../prefixes.js'
import { leastMtuOfIpv6, wireOf, type Wire } from '../wire/segments.js'
import { advertise } from './advertisements.js'
import { translate } from './translation.js'

/** Where a router is plugged in. */
interface Plugged {
  portId: PortPlan['portId']
  mac: string
  addresses: readonly string[]
  network: Wire
  bridge: string
  /** On the host, and in the router. */
  outer: string
  inner: string
}

/** Each router is a namespace with a link into each of its networks: there is nothing else in it that it could forward to. */
export const routers: Part = (plan, settings, program) => {
  const networks = new Map(plan.networks.map((network) => [network.networkId, network]))
  for (const router of plan.routers) {
    // One that is switched off is not there, but for its record.
    if (!router.adminStateUp) continue
    const wires = networksOf(router)
      .flatMap((networkId) => networks.get(networkId) ?? [])
      .map(wireOf)
    program.piece(router.routerId, addRouter, router, settings, ...wires)
  }
}

function networksOf({ gateway, interfaces }: RouterPlan): NetworkId[] {
  const plugs = [...(gateway ? [gateway] : []), ...interfaces]
  return [...new Set(plugs.map(({ networkId }) => networkId))]
}

function addRouter(piece: Piece, router: RouterPlan, settings: HostSettings, ...networks: readonly Wire[]): void {
  const namespace = routerNamespace(router.routerId)
  piece.namespace(namespace)
  const settingsOfKernel = {
    'net/ipv4/ip_forward': '1',
    'net/ipv6/conf/all/forwarding': '1',
    'net/ipv4/conf/all/send_redirects': '0',
    'net/ipv4/conf/default/send_redirects': '0',
  }
  for (const [path, value] of Object.entries(settingsOfKernel)) piece.setting(namespace, path, value)
  const plugged = plugsOf(piece, router, networks, settings)
  for (const plug of plugged) plugIn(piece, namespace, plug)
  addRoutes(piece, router, plugged)
  translate(piece, router)
  advertise(piece, router, settings)
}

function plugsOf(piece: Piece, router: RouterPlan, networks: readonly Wire[], settings: HostSettings): Plugged[] {
  const { gateway, interfaces } = router
  const wanted = [
    ...(gateway ? [{ ...gateway, outer: gatewayLink(gateway.portId), inner: insideRouter.gateway as string }] : []),
    ...interfaces.map((port) => ({ ...port, outer: routerLink(port.portId), inner: insideRouter.port(port.portId) })),
  ]
  return wanted.flatMap((plug) => {
    const network = networks.find(({ networkId }) => networkId === plug.networkId)
    const bridge = network && bridgeOf(network, settings)
    if (network && bridge !== undefined) return [{ ...plug, network, bridge }]
    piece.trouble(`router ${router.routerId} cannot reach the network ${plug.networkId} from this host`)
    return []
  })
}

function plugIn(piece: Piece, namespace: string, plug: Plugged): void {
  const { network, bridge, outer, inner, mac } = plug
  const { mtu } = network
  piece.link({
    ...{ namespace: hostNamespace, name: outer, mtu, master: bridge },
    make: { kind: 'veth', peerNamespace: namespace, peerName: inner },
    port: { learning: false, neighbourSuppression: false },
  })
  piece.link({ namespace, name: inner, mac, mtu, make: { kind: 'peer', ofNamespace: hostNamespace, ofName: outer } })
  piece.forwarding({ namespace: hostNamespace, link: outer, mac })
  piece.setting(namespace, `net/ipv6/conf/${inner}/accept_ra`, '0')
  const own = [...plug.addresses, `${linkLocalOf(mac)}/64`]
  for (const address of own) {
    if (familyOf(address) === 4 || mtu >= leastMtuOfIpv6) piece.address({ namespace, link: inner, address })
  }
}

/** One way to each destination: tenants may name several, of which the last counts, and another one than the gateway's. */
function addRoutes(piece: Piece, router: RouterPlan, plugged: readonly Plugged[]): void {
  const { routerId, gateway, routes } = router
  const namespace = routerNamespace(routerId)
  const outside = plugged.find(({ inner }) => inner === insideRouter.gateway)
  const ways = new Map<string, Parameters<Piece['route']>[0]>()
  const lead = (destination: string, via: string, link: string) => {
    const family = familyOf(via)
    ways.set(`${family} ${destination}`, { namespace, destination, family, link, via })
  }
  for (const via of outside ? (gateway?.nexthops ?? []) : []) lead('default', via, insideRouter.gateway)
  for (const { destination, nexthop } of routes.filter((route) => canBeTaken(route, router, plugged))) {
    const way = plugged.find(({ addresses }) => addresses.some((address) => isWithin(nexthop, address)))
    if (way) lead(destination.endsWith('/0') ? 'default' : destination, nexthop, way.inner)
    else piece.trouble(`router ${routerId} has no interface towards ${nexthop}`)
  }
  for (const way of ways.values()) piece.route(way)
}

/**
 * Of what a tenant may name: the kernel takes no way by the router itself or by everybody at once, and puts one to a network that
 * the router is in into the place of its own, which would not come back.
 */
function canBeTaken(route: RouterPlan['routes'][number], { floatingIps }: RouterPlan, plugged: readonly Plugged[]): boolean {
  const own = plugged.flatMap(({ addresses }) => addresses)
  const isOwn = [...own, ...floatingIps.map(({ address }) => address)].some((one) => one.split('/')[0] === route.nexthop)
  return !isOwn && !own.some((one) => isBroadcastOf(one, route.nexthop) || isSamePrefix(one, route.destination))
}
