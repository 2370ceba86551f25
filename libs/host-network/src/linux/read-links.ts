import {
  hostNamespace,
  type AddressObject,
  type KernelObject,
  type LinkMake,
  type LinkObject,
  type NeighbourObject,
  type RouteObject,
} from '../engine/objects.js'
import { isOurs } from '../names.js'

/** Of `ip -json -details address show`, what is looked at. */
export interface ListedLink {
  ifindex: number
  ifname: string
  link?: string
  link_index?: number
  link_netnsid?: number
  flags: string[]
  mtu: number
  master?: string
  address?: string
  linkinfo?: {
    info_kind?: string
    info_data?: {
      nf_call_iptables?: number
      nf_call_ip6tables?: number
      id?: number
      local?: string
      local6?: string
      port?: number
    }
    info_slave_kind?: string
    info_slave_data?: { learning?: boolean; neigh_suppress?: boolean }
  }
  addr_info?: { local?: string; prefixlen: number; dynamic?: boolean; temporary?: boolean; protocol?: string }[]
}

export interface ListedNeighbour {
  dst: string
  dev: string
  lladdr?: string
  state: string[]
}

export interface ListedRoute {
  type?: string
  dst: string
  dev?: string
  gateway?: string
  table?: string
  protocol?: string
  /** Routes of IPv6 alone have it. */
  pref?: string
}

/** What stands in one namespace. */
export interface Listed {
  namespace: string
  links: readonly ListedLink[]
  neighbours: readonly ListedNeighbour[]
  routes: readonly ListedRoute[]
}

/** @param namespaceById names of namespaces, by the number that the host's gives them. */
export function objectsOf(all: readonly Listed[], namespaceById: ReadonlyMap<number, string>): KernelObject[] {
  const peers = peersOf(all, namespaceById)
  return all.flatMap((listed) => {
    const { namespace, links, neighbours, routes } = listed
    // On the host others have links of their own; what is in a namespace of ours is ours.
    const isLookedAt = (name: string | undefined) => name !== undefined && (namespace !== hostNamespace || isOurs(name))
    return [
      ...links.map((link) => linkOf(namespace, link, peers)),
      ...links.filter(({ ifname }) => isLookedAt(ifname)).flatMap((link) => addressesOf(namespace, link)),
      ...neighbours.filter(({ dev }) => isLookedAt(dev)).flatMap((neighbour) => neighbourOf(namespace, neighbour)),
      ...routes.filter(({ dev }) => isLookedAt(dev)).flatMap((route) => routeOf(namespace, route)),
    ]
  })
}

type Peers = ReadonlyMap<string, LinkMake>

/** Both ends of each pair that begins on the host: only from there can be seen where the other end is. */
function peersOf(all: readonly Listed[], namespaceById: ReadonlyMap<number, string>): Peers {
  const host = all.find(({ namespace }) => namespace === hostNamespace)
  const inNamespace = new Map(all.map((listed) => [listed.namespace, listed.links]))
  const pairs = (host?.links ?? []).filter(({ ifname, linkinfo }) => linkinfo?.info_kind === 'veth' && isOurs(ifname))
  return new Map(
    pairs.flatMap((link): [string, LinkMake][] => {
      const peerNamespace = link.link_netnsid === undefined ? hostNamespace : namespaceById.get(link.link_netnsid)
      const peer = inNamespace.get(peerNamespace ?? '-')?.find(({ ifindex }) => ifindex === link.link_index)
      if (peerNamespace === undefined || !peer) return []
      return [
        [`${hostNamespace} ${link.ifname}`, { kind: 'veth', peerNamespace, peerName: peer.ifname }],
        [`${peerNamespace} ${peer.ifname}`, { kind: 'peer', ofNamespace: hostNamespace, ofName: link.ifname }],
      ]
    }),
  )
}

function linkOf(namespace: string, listed: ListedLink, peers: Peers): LinkObject {
  const slave = listed.linkinfo?.info_slave_kind === 'bridge' ? listed.linkinfo.info_slave_data : undefined
  return {
    kind: 'link',
    namespace,
    name: listed.ifname,
    make: makeOf(namespace, listed, peers),
    mac: listed.address,
    mtu: listed.mtu,
    up: listed.flags.includes('UP'),
    master: listed.master ?? null,
    ...(listed.linkinfo?.info_kind === 'bridge' && { netfilter: isSeenByTables(listed) }),
    ...(slave && {
      port: {
        learning: slave.learning === true,
        neighbourSuppression: slave.neigh_suppress === true,
      },
    }),
  }
}

function isSeenByTables({ linkinfo }: ListedLink): boolean {
  const data = linkinfo?.info_data
  return data?.nf_call_iptables === 1 && data.nf_call_ip6tables === 1
}

function makeOf(namespace: string, { ifname, linkinfo }: ListedLink, peers: Peers): LinkMake {
  const isMadeByUs = namespace === hostNamespace ? isOurs(ifname) : ifname !== 'lo'
  if (!isMadeByUs) return { kind: 'found' }
  const data = linkinfo?.info_data
  switch (linkinfo?.info_kind) {
    case 'bridge':
      return { kind: 'bridge' }
    case 'vxlan':
      return { kind: 'vxlan', vni: data?.id ?? 0, local: data?.local ?? data?.local6 ?? '', port: data?.port ?? 0 }
    case 'veth':
      return peers.get(`${namespace} ${ifname}`) ?? { kind: 'veth', peerNamespace: '-', peerName: '-' }
    default:
      return { kind: 'found' }
  }
}

/** Without those that the kernel gave itself. */
function addressesOf(namespace: string, { ifname, addr_info }: ListedLink): AddressObject[] {
  return (addr_info ?? [])
    .filter(({ local, dynamic, temporary, protocol }) => local && !dynamic && !temporary && !protocol?.startsWith('kernel'))
    .map(({ local, prefixlen }) => ({ kind: 'address', namespace, link: ifname, address: `${local}/${prefixlen}` }))
}

function neighbourOf(namespace: string, { dst, dev, lladdr, state }: ListedNeighbour): NeighbourObject[] {
  if (!lladdr || !state.includes('PERMANENT')) return []
  return [{ kind: 'neighbour', namespace, link: dev, address: dst, mac: lladdr }]
}

/** What was told, not what follows from an address or was heard from a router. */
function routeOf(namespace: string, { type, dst, dev, gateway, table, protocol, pref }: ListedRoute): RouteObject[] {
  if ((type ?? 'unicast') !== 'unicast' || !dev || !(protocol === 'boot' || protocol === 'static')) return []
  const family = pref !== undefined || dst.includes(':') || gateway?.includes(':') ? 6 : 4
  const route: RouteObject = { kind: 'route', namespace, destination: asPrefix(dst, family), family, link: dev }
  const inTable = table === undefined || table === 'main' ? {} : { table: Number(table) }
  return [{ ...route, ...(gateway && { via: gateway }), ...inTable }]
}

/** A single address is listed without the length of its prefix. */
function asPrefix(destination: string, family: 4 | 6): string {
  if (destination === 'default' || destination.includes('/')) return destination
  return `${destination}/${family === 6 ? 128 : 32}`
}
