/** The network namespace of the host itself; every other has its name below `/run/netns`. */
export const hostNamespace = ''

/** A network namespace of ours. */
export interface NamespaceObject {
  kind: 'namespace'
  namespace: string
  /** Its name is there, but nothing behind it. */
  broken?: boolean
}

/** What a link is made as. It cannot be changed: a link of another make is made anew. */
export type LinkMake =
  | { kind: 'bridge' }
  | { kind: 'vxlan'; vni: number; local: string; port: number }
  /** With its other end, which is an object of its own (`peer`). */
  | { kind: 'veth'; peerNamespace: string; peerName: string }
  /** The other end of a pair: it comes and goes with the one that it is the peer of. */
  | { kind: 'peer'; ofNamespace: string; ofName: string }
  /** Not ours: a guest's tap, a network card. It is neither made nor removed, and set up while it is there. */
  | { kind: 'found' }

export interface LinkObject {
  kind: 'link'
  namespace: string
  name: string
  make: LinkMake
  /** Undefined: whatever it has. */
  mac?: string
  mtu?: number
  up?: boolean
  /** The bridge that it is a port of; null: of none; undefined: whatever it is. */
  master?: string | null
  /** As a bridge: whether IP's tables see what crosses it (br_netfilter). */
  netfilter?: boolean
  /** As a port of a bridge. */
  port?: { learning: boolean; neighbourSuppression: boolean }
}

export interface AddressObject {
  kind: 'address'
  namespace: string
  link: string
  /** With the length of its prefix. */
  address: string
}

/** Who has an address, so that nobody needs to be asked. */
export interface NeighbourObject {
  kind: 'neighbour'
  namespace: string
  link: string
  address: string
  mac: string
}

/** Where frames go: for a VXLAN the host behind which a MAC is (all zeroes: everyone), for a bridge the port. */
export interface ForwardingObject {
  kind: 'forwarding'
  namespace: string
  link: string
  mac: string
  /** An address of the underlay; undefined: the entry is the bridge's, and the link one of its ports. */
  destination?: string
}

export interface RouteObject {
  kind: 'route'
  namespace: string
  /** A prefix, or `default`; with `family` for that. */
  destination: string
  family: 4 | 6
  link: string
  via?: string
  table?: number
}

/** A file below /proc/sys of a namespace, by its path there: `net/ipv4/ip_forward`. What it was before is not put back. */
export interface SettingObject {
  kind: 'setting'
  namespace: string
  path: string
  value: string
}

/** What stands in the kernel, without nftables. */
export type KernelObject =
  | NamespaceObject
  | LinkObject
  | AddressObject
  | NeighbourObject
  | ForwardingObject
  | RouteObject
  | SettingObject

/** Names a thing in the kernel: two objects with the same key cannot be at the same time. */
export function keyOf(object: KernelObject): string {
  const { kind, namespace } = object
  switch (object.kind) {
    case 'namespace':
      return `namespace ${namespace}`
    case 'link':
      return `${kind} ${namespace} ${object.name}`
    case 'address':
      return `${kind} ${namespace} ${object.link} ${object.address}`
    case 'neighbour':
      return `${kind} ${namespace} ${object.link} ${object.address}`
    case 'forwarding':
      return `${kind} ${namespace} ${object.link} ${object.mac} ${placeOf(object)}`
    case 'route':
      return `${kind} ${namespace} ${object.family} ${object.destination} ${object.table ?? 'main'}`
    case 'setting':
      return `${kind} ${namespace} ${object.path}`
  }
}

/** A MAC is behind one host; only what goes to everyone goes to many. */
function placeOf({ mac, destination }: ForwardingObject): string {
  if (destination === undefined) return 'port'
  return mac === everyone ? destination : 'host'
}

/** The MAC of the entry that says where frames go which are for all, or for one whom nobody knows. */
export const everyone = '00:00:00:00:00:00'

const linkKey = (namespace: string, name: string) => `link ${namespace} ${name}`

/** The keys of what it stands on: when that goes, it is gone too. */
export function standsOn(object: KernelObject): string[] {
  const inNamespace = object.namespace === hostNamespace ? [] : [`namespace ${object.namespace}`]
  switch (object.kind) {
    case 'namespace':
      return []
    case 'link':
      return [...inNamespace, ...linkStandsOn(object)]
    case 'setting':
      return inNamespace
    default:
      return [...inNamespace, linkKey(object.namespace, object.link)]
  }
}

function linkStandsOn({ make }: LinkObject): string[] {
  if (make.kind === 'peer') return [linkKey(make.ofNamespace, make.ofName)]
  if (make.kind === 'veth' && make.peerNamespace !== hostNamespace) return [`namespace ${make.peerNamespace}`]
  return []
}
