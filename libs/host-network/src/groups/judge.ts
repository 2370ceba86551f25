import { familyOf } from '../addresses.js'
import type { GroupPlan, PortPlan, RulePlan } from '../plan.js'
import { contains, parsePrefix } from '../prefixes.js'
import { protocolOf } from './rule-text.js'

/** A packet that begins a conversation, as one port sees it. */
export interface Conversation {
  direction: RulePlan['direction']
  /** Of whom it speaks with. */
  remote: string
  /** An IANA number. */
  protocol: number
  /** The destination's; of ICMP type and code. Undefined where the protocol has none. */
  port?: number
  code?: number
}

export interface Verdict {
  /** The group and its rule that lets it through; undefined where none does. */
  by: { group: GroupPlan; rule: RulePlan } | undefined
}

export type Groups = ReadonlyMap<string, GroupPlan>

export const groupsById = (groups: readonly GroupPlan[]): Groups => new Map(groups.map((group) => [group.groupId, group]))

/** What the rules of a port's groups say: the same as those in the kernel do, without one. */
export function judge(port: Pick<PortPlan, 'groups'>, groups: Groups, conversation: Conversation): Verdict {
  for (const groupId of port.groups) {
    const group = groups.get(groupId)
    const rule = group?.rules.find((rule) => isMet(rule, groups, conversation))
    if (group && rule) return { by: { group, rule } }
  }
  return { by: undefined }
}

function isMet(rule: RulePlan, groups: Groups, conversation: Conversation): boolean {
  if (rule.direction !== conversation.direction) return false
  if (rule.ethertype !== (familyOf(conversation.remote) === 6 ? 'IPv6' : 'IPv4')) return false
  return isRemote(rule, groups, conversation.remote) && isProtocol(rule, conversation)
}

function isRemote({ remotePrefix, remoteGroup }: RulePlan, groups: Groups, remote: string): boolean {
  const address = parsePrefix(remote)
  const isIn = (prefix: string) => contains(parsePrefix(prefix), address)
  if (remotePrefix !== null && !isIn(remotePrefix)) return false
  return remoteGroup === null || (groups.get(remoteGroup)?.members.some(isIn) ?? false)
}

const icmp = new Set([1, 58])

function isProtocol(rule: RulePlan, { protocol, port, code }: Conversation): boolean {
  const wanted = protocolOf(rule)
  if (wanted === null) return true
  if (wanted !== protocol) return false
  const { portMin, portMax } = rule
  if (icmp.has(wanted)) return (portMin === null || portMin === port) && (portMax === null || portMax === code)
  if (port === undefined) return true
  return port >= (portMin ?? 0) && port <= (portMax ?? 65_535)
}
