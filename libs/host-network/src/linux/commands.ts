import { assert } from '@nubo/kernel'
import type { Change } from '../engine/difference.js'
import { everyone, type ForwardingObject, type KernelObject, type LinkObject, type RouteObject } from '../engine/objects.js'

/** A line for the program that does it. */
export interface Line {
  tool: 'ip' | 'bridge' | 'sh'
  namespace: string
  text: string
  /** Of a link of others, which may go at any time: a tap goes with its guest. There is nothing to do then. */
  mayBeGone?: true
}

/** The words of iproute2 for a change. */
export function linesOf(change: Change): Line[] {
  const { object } = change
  switch (object.kind) {
    case 'namespace':
      return [ip('', change.verb === 'remove' ? `netns del ${object.namespace}` : `netns add ${object.namespace}`)]
    case 'link':
      return linkLines(change, object)
    case 'address':
      return [ip(object.namespace, addressLine(change.verb, object.address, object.link))]
    case 'neighbour':
      return [ip(object.namespace, neighbourLine(change.verb, object))]
    case 'forwarding':
      return [{ tool: 'bridge', namespace: object.namespace, text: forwardingLine(change.verb, object) }]
    case 'route':
      return [ip(object.namespace, routeLine(change.verb, object))]
    case 'setting':
      return [{ tool: 'sh', namespace: object.namespace, text: settingLine(object) }]
  }
}

const ip = (namespace: string, text: string): Line => ({ tool: 'ip', namespace, text })
const ofOthers = (namespace: string, text: string): Line => ({ tool: 'ip', namespace, text, mayBeGone: true })

function linkLines(change: Change, link: LinkObject): Line[] {
  const { namespace, name } = link
  if (change.verb === 'remove') {
    return link.make.kind === 'found'
      ? [ofOthers(namespace, `link set dev ${name} nomaster`)]
      : [ip(namespace, `link del dev ${name}`)]
  }
  const making = change.verb === 'make' ? makingOf(link) : []
  const before = change.verb === 'alter' ? (change.before as LinkObject) : undefined
  const lineOf = link.make.kind === 'found' ? ofOthers : ip
  return [...making, ...settingsOf(link, before)].map((text) => lineOf(namespace, text))
}

/** The other end of a pair is made with the first, and what was found is there. */
function makingOf({ name, make }: LinkObject): string[] {
  switch (make.kind) {
    case 'bridge':
      return [`link add name ${name} type bridge forward_delay 0 mcast_snooping 0`]
    case 'vxlan':
      return [`link add name ${name} type vxlan id ${make.vni} local ${make.local} dstport ${make.port} nolearning`]
    case 'veth': {
      const place = make.peerNamespace === '' ? '' : ` netns ${make.peerNamespace}`
      return [`link add name ${name} type veth peer name ${make.peerName}${place}`]
    }
    case 'peer':
    case 'found':
      return []
  }
}

/** Up comes last: nothing passes before all else is set. */
function settingsOf(link: LinkObject, before: LinkObject | undefined): string[] {
  const { name, make, mac, mtu, master, port, up } = link
  const differs = (key: keyof LinkObject) =>
    link[key] !== undefined && JSON.stringify(link[key]) !== JSON.stringify(before?.[key])
  const set = (words: string) => `link set dev ${name} ${words}`
  const isFresh = !before && make.kind !== 'found'
  return [
    ...(isFresh ? [set('addrgenmode none')] : []),
    ...(differs('mac') ? [set(`address ${mac}`)] : []),
    ...(differs('mtu') ? [set(`mtu ${mtu}`)] : []),
    ...(differs('netfilter') ? [set(`type bridge ${netfilterWords(link.netfilter === true)}`)] : []),
    ...(differs('master') ? [set(master === null ? 'nomaster' : `master ${master}`)] : []),
    // A port that changes its bridge loses what it was told as a port of the old one.
    ...(port && (differs('port') || differs('master')) ? [set(`type bridge_slave ${portWords(port)}`)] : []),
    ...(differs('up') ? [set(up ? 'up' : 'down')] : []),
  ]
}

const netfilterWords = (isOn: boolean) =>
  ['nf_call_iptables', 'nf_call_ip6tables'].map((call) => `${call} ${isOn ? 1 : 0}`).join(' ')

function portWords({ learning, neighbourSuppression }: NonNullable<LinkObject['port']>): string {
  const onOff = (isOn: boolean) => (isOn ? 'on' : 'off')
  return `learning ${onOff(learning)} neigh_suppress ${onOff(neighbourSuppression)}`
}

/** What we give out nobody else has: to look for duplicates would only hold the address back. */
function addressLine(verb: Change['verb'], address: string, link: string): string {
  if (verb === 'remove') return `addr del ${address} dev ${link}`
  return `addr replace ${address} dev ${link}${address.includes(':') ? ' nodad' : ''}`
}

function neighbourLine(verb: Change['verb'], { address, mac, link }: Extract<KernelObject, { kind: 'neighbour' }>): string {
  if (verb === 'remove') return `neigh del ${address} dev ${link}`
  return `neigh replace ${address} lladdr ${mac} dev ${link} nud permanent`
}

function forwardingLine(verb: Change['verb'], { mac, link, destination }: ForwardingObject): string {
  const place = destination === undefined ? 'master' : `dst ${destination} self`
  if (verb === 'remove') return `fdb del ${mac} dev ${link} ${place}`
  return `fdb ${mac === everyone ? 'append' : 'replace'} ${mac} dev ${link} ${place} static`
}

function routeLine(verb: Change['verb'], { family, destination, via, link, table }: RouteObject): string {
  const words = `${destination === 'default' ? everywhere[family] : destination}${via ? ` via ${via}` : ''} dev ${link}`
  // A gateway may lie outside of the link's own prefixes: an external network's often does.
  const onLink = via && verb !== 'remove' ? ' onlink' : ''
  return `route ${verb === 'remove' ? 'del' : 'replace'} ${words}${table === undefined ? '' : ` table ${table}`}${onLink}`
}

const everywhere = { 4: '0.0.0.0/0', 6: '::/0' } as const

function settingLine({ path, value }: Extract<KernelObject, { kind: 'setting' }>): string {
  assert(/^[a-zA-Z0-9_./-]+$/.test(path) && /^[0-9 ]+$/.test(value), 'a setting is a path and numbers')
  return `echo ${value} > /proc/sys/${path}`
}
