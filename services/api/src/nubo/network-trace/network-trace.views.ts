import type { Hop, PortVerdict, RouterVerdict, RulePlan } from '@nubo/host-network'
import type { TracedWay } from './network-trace.service.js'

export interface TraceViewer {
  /** Whose rules may be shown; null: everybody's. */
  projectId: string | null
}

const portWords: Record<Exclude<PortVerdict, 'allowed-by-rule'>, string> = {
  'not-filtered': 'has no port security: everything passes',
  'no-rule': 'drops it: no rule of its groups lets it pass',
  'port-down': 'drops it: its port is switched off',
  'no-address': 'has no address of that family: it cannot be sent',
  'no-way-out': 'knows no way there: its subnet has no gateway and no route',
  'unknown-port': 'is not on its host yet',
}

const routerWords: Record<RouterVerdict, string> = {
  forwarded: 'passes it on',
  'no-route': 'drops it: it has no route there',
  'router-down': 'drops it: it is switched off, or sends it in a circle',
  'not-addressed': 'drops it: what is behind it is reached by floating IPs alone',
}

const outcomes: Record<TracedWay['outcome'], string> = {
  arrives: 'It arrives.',
  dropped: 'It does not arrive.',
  leaves: 'It leaves the cloud: what becomes of it then is not ours to say.',
}

/** For people and for programs. Of another project's port only what it does is told, not by which of its rules. */
export function networkTraceView(way: TracedWay, viewer: TraceViewer) {
  return {
    outcome: way.outcome,
    lines: [...way.hops.map((hop) => lineOf(hop, way, viewer)), outcomes[way.outcome]],
    hops: way.hops.map((hop) => hopView(hop, way, viewer)),
  }
}

function hopView(hop: Hop, way: TracedWay, viewer: TraceViewer) {
  if (hop.at === 'network') return { at: hop.at, network_id: hop.networkId, verdict: hop.verdict, address: hop.address }
  if (hop.at === 'router') {
    const { routerId, verdict, source, destination, nexthop = null } = hop
    return { at: hop.at, router_id: routerId, verdict, source, destination, nexthop }
  }
  const { portId, direction, verdict } = hop
  if (!isShown(hop.portId, way, viewer)) return { at: hop.at, port_id: null, direction, verdict }
  const rule = hop.rule && ruleView(hop.rule)
  return { at: hop.at, port_id: portId, direction, verdict, security_group_id: hop.groupId ?? null, rule: rule ?? null }
}

function ruleView({ direction, ethertype, protocol, portMin, portMax, remotePrefix, remoteGroup }: RulePlan) {
  const ports = { port_range_min: portMin, port_range_max: portMax }
  return { direction, ethertype, protocol, ...ports, remote_ip_prefix: remotePrefix, remote_group_id: remoteGroup }
}

function lineOf(hop: Hop, way: TracedWay, viewer: TraceViewer): string {
  if (hop.at === 'port') return portLine(hop, way, viewer)
  if (hop.at === 'router') {
    const name = way.names.get(hop.routerId) || hop.routerId
    const on = hop.verdict === 'forwarded' ? `, from ${hop.source} to ${hop.destination}` : ''
    return `Router ${name} ${routerWords[hop.verdict]}${on}.`
  }
  const name = way.names.get(hop.networkId) || hop.networkId
  if (hop.verdict === 'nobody-there') return `Network ${name} has nobody with ${hop.address}: it is dropped.`
  if (hop.verdict === 'answered-here') return `Network ${name} answers for ${hop.address} itself.`
  return `Network ${name} delivers it to ${hop.address}.`
}

function portLine(hop: Extract<Hop, { at: 'port' }>, way: TracedWay, viewer: TraceViewer): string {
  const isOwn = isShown(hop.portId, way, viewer)
  const who = isOwn
    ? `Port ${hop.portId} of ${way.ports.get(hop.portId)?.serverName ?? 'its server'}`
    : 'A port of another project'
  if (hop.verdict !== 'allowed-by-rule') return `${who} ${portWords[hop.verdict]}.`
  const passes = hop.direction === 'egress' ? 'lets it out' : 'lets it in'
  if (!isOwn || !hop.rule) return `${who} ${passes}.`
  return `${who} ${passes} by the rule '${ruleWords(hop.rule)}' of group ${way.names.get(hop.groupId!) || hop.groupId}.`
}

function ruleWords({ direction, ethertype, protocol, portMin, portMax, remotePrefix, remoteGroup }: RulePlan): string {
  const ports = portMin === null ? '' : portMin === portMax ? ` ${portMin}` : ` ${portMin}-${portMax}`
  const remote = remoteGroup ? `members of ${remoteGroup}` : (remotePrefix ?? 'anywhere')
  const what = protocol === null ? 'anything' : `protocol ${protocol}${ports}`
  return `${ethertype} ${what} ${direction === 'ingress' ? 'from' : 'to'} ${remote}`
}

function isShown(portId: string, { ports }: TracedWay, { projectId }: TraceViewer): boolean {
  return projectId === null || ports.get(portId)?.projectId === projectId
}
