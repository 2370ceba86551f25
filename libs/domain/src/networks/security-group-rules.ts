import { parsePrefix, printPrefix } from '../addresses/index.js'
import { icmp, icmpv6, protocolNames, protocolNumber } from '../ip-protocols.js'
import { networkError } from './network-error.js'
import { words } from './words.js'

/** A rule as a request gives it: what of it is no rule is told by the names that Neutron has for it. */
export interface GivenRule {
  direction: 'ingress' | 'egress'
  ethertype: unknown
  protocol: unknown
  portRangeMin: unknown
  portRangeMax: unknown
  remoteIpPrefix: unknown
  remoteGroupId: string | null
}

/** A rule as it is kept. */
export interface SecurityGroupRule {
  direction: 'ingress' | 'egress'
  ethertype: 'IPv4' | 'IPv6'
  /** A name or a number; null is any. */
  protocol: string | null
  /** Of ICMP its type and its code. */
  portRangeMin: number | null
  portRangeMax: number | null
  remoteIpPrefix: string | null
  remoteGroupId: string | null
}

const refuse = (type: string, message: string) => networkError('Invalid', type, message)

/**
 * The rule that is meant, in the form in which it is kept. Throws Invalid as Neutron does
 * (neutron/extensions/securitygroup.py, neutron/db/securitygroups_db.py).
 */
export function readRule(given: GivenRule): SecurityGroupRule {
  const ethertype = readEthertype(given.ethertype)
  const rule = {
    direction: given.direction,
    ethertype,
    protocol: readProtocol(given.protocol, ethertype),
    ...withoutWholeRange(readPort(given.portRangeMin), readPort(given.portRangeMax)),
    remoteIpPrefix: readPrefix(given.remoteIpPrefix),
    remoteGroupId: given.remoteGroupId,
  }
  assertPorts(rule)
  assertPrefixFits(rule)
  assertProtocolFits(rule)
  if (rule.remoteIpPrefix !== null && rule.remoteGroupId !== null)
    throw refuse(
      'SecurityGroupMultipleRemoteEntites',
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
    )
  return rule
}

function readEthertype(value: unknown): 'IPv4' | 'IPv6' {
  const found = (['IPv4', 'IPv6'] as const).find(
    (each) => typeof value === 'string' && each.toLowerCase() === value.toLowerCase(),
  )
  if (found) return found
  throw refuse(
    'SecurityGroupRuleInvalidEtherType',
    `Security group rule for ethertype '${words(value)}' not supported. Allowed values are ['IPv4', 'IPv6'].`,
  )
}

/** The old names of ICMPv6, and the number of ICMP, mean ICMPv6 in a rule of IPv6, and are kept as that. */
function readProtocol(value: unknown, ethertype: 'IPv4' | 'IPv6'): string | null {
  if (value === null || value === 'any') return null
  const name = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.toLowerCase() : ''
  if (protocolNumber(name, ethertype) === undefined)
    throw refuse(
      'SecurityGroupRuleInvalidProtocol',
      `Security group rule protocol ${words(value)} not supported. Only protocol values (None, 'any', ${protocolNames.map((each) => `'${each}'`).join(', ')}) and integer representations [0 to 255] are supported.`,
    )
  if (ethertype === 'IPv4') return name
  if (name === 'icmp' || name === 'icmpv6') return 'ipv6-icmp'
  return name === String(icmp) ? String(icmpv6) : name
}

const largestPort = 65_535

function readPort(value: unknown): number | null {
  if (value === null) return null
  const port = typeof value === 'string' && /^\s*[+-]?\d{1,15}\s*$/.test(value) ? Number(value) : value
  if (typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= largestPort) return port
  throw invalidPort(value)
}

const invalidPort = (value: unknown) => refuse('SecurityGroupInvalidPortValue', `Invalid value for port ${words(value)}`)

/** All ports are as good as none being named, and cost less. */
function withoutWholeRange(portRangeMin: number | null, portRangeMax: number | null) {
  const isWhole = portRangeMin === 1 && portRangeMax === largestPort
  return isWhole ? { portRangeMin: null, portRangeMax: null } : { portRangeMin, portRangeMax }
}

function readPrefix(value: unknown): string | null {
  if (value === null || value === '') return null
  const prefix = typeof value === 'string' ? parsePrefix(value) : undefined
  if (!prefix) throw refuse('InvalidCIDR', `Invalid CIDR ${words(value)} given as IP prefix.`)
  const text = value as string
  return text.includes('/') ? text : printPrefix(prefix)
}

/** Of the protocols whose packets name ports. */
const portProtocols = ['dccp', 'sctp', 'tcp', 'udp', 'udplite']

function assertPorts({ protocol, ethertype, portRangeMin: min, portRangeMax: max }: SecurityGroupRule): void {
  if (min === null && max === null) return
  if (protocol === null)
    throw refuse('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.')
  const number = protocolNumber(protocol, ethertype)!
  if (portProtocols.some((name) => protocolNumber(name, ethertype) === number)) assertRange(min, max)
  else if (number === icmp || number === icmpv6) assertIcmp(min, max)
  else
    throw refuse(
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${number}. Ports are only supported for ${portProtocols.join(', ').toUpperCase()}.`,
    )
}

function assertRange(min: number | null, max: number | null): void {
  if (min === 0 || max === 0) throw invalidPort(0)
  if (min === null || max === null || min > max)
    throw refuse('SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max')
}

const largestIcmp = 255

function assertIcmp(type: number | null, code: number | null): void {
  const fields = [
    ['type', 'port_range_min', type],
    ['code', 'port_range_max', code],
  ] as const
  for (const [field, attribute, value] of fields)
    if (value !== null && value > largestIcmp)
      throw refuse(
        'SecurityGroupInvalidIcmpValue',
        `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to ${largestIcmp}.`,
      )
  if (type === null)
    throw refuse(
      'SecurityGroupMissingIcmpType',
      `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`,
    )
}

function assertPrefixFits({ ethertype, remoteIpPrefix: prefix }: SecurityGroupRule): void {
  if (prefix !== null && ethertype !== `IPv${parsePrefix(prefix)!.family}`)
    throw refuse('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${ethertype} for CIDR ${prefix}`)
}

const ipv6Protocols = ['ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route']

function assertProtocolFits({ ethertype, protocol }: SecurityGroupRule): void {
  if (ethertype === 'IPv6' || protocol === null) return
  const number = protocolNumber(protocol, ethertype)
  if (ipv6Protocols.some((name) => protocolNumber(name, 'IPv6') === number))
    throw refuse('SecurityGroupEthertypeConflictWithProtocol', `Invalid ethertype ${ethertype} for protocol ${protocol}.`)
}

const everywhere: readonly (string | null)[] = [null, '0.0.0.0/0', '::/0']

/** What two rules of a group that say the same have in common, in whatever words. */
export function meaningOf(rule: SecurityGroupRule): string {
  const { direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix, remoteGroupId } = rule
  const number = protocol === null ? null : protocolNumber(protocol, ethertype)
  const prefix = everywhere.includes(remoteIpPrefix) ? null : remoteIpPrefix
  return JSON.stringify([direction, ethertype, number, portRangeMin, portRangeMax, prefix, remoteGroupId])
}
