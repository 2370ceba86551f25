import { describe, expect, it } from '@jest/globals'
import type { CloudError } from '@nubo/kernel'
import fc from 'fast-check'
import { meaningOf, readRule, type GivenRule } from './security-group-rules.js'

const given = (rule: Partial<GivenRule> = {}): GivenRule => ({
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  ...rule,
})

function refusalOf(rule: Partial<GivenRule>): { type: unknown; message: string } | undefined {
  try {
    readRule(given(rule))
    return undefined
  } catch (error) {
    return { type: (error as CloudError).details['type'], message: (error as CloudError).message }
  }
}

describe('a rule is kept', () => {
  it.each([
    [{ ethertype: 'ipv6' }, { ethertype: 'IPv6' }],
    [{ protocol: 'TCP' }, { protocol: 'tcp' }],
    [{ protocol: 6 }, { protocol: '6' }],
    [{ protocol: 'any' }, { protocol: null }],
    [{ protocol: 'icmp', ethertype: 'IPv6' }, { protocol: 'ipv6-icmp' }],
    [{ protocol: 'icmpv6', ethertype: 'IPv6' }, { protocol: 'ipv6-icmp' }],
    [{ protocol: '1', ethertype: 'IPv6' }, { protocol: '58' }],
    [
      { protocol: 'tcp', portRangeMin: '22', portRangeMax: 22 },
      { portRangeMin: 22, portRangeMax: 22 },
    ],
    [
      { protocol: 'tcp', portRangeMin: 1, portRangeMax: 65_535 },
      { portRangeMin: null, portRangeMax: null },
    ],
    [
      { protocol: 'icmp', portRangeMin: 8 },
      { portRangeMin: 8, portRangeMax: null },
    ],
    [
      { protocol: 'icmp', portRangeMin: 0, portRangeMax: 0 },
      { portRangeMin: 0, portRangeMax: 0 },
    ],
    [{ remoteIpPrefix: '10.1.2.3' }, { remoteIpPrefix: '10.1.2.3/32' }],
    [{ remoteIpPrefix: '10.1.2.3/24' }, { remoteIpPrefix: '10.1.2.3/24' }],
    [{ remoteIpPrefix: '' }, { remoteIpPrefix: null }],
  ])('%j as %j', (rule, kept) => {
    expect(readRule(given(rule))).toMatchObject(kept)
  })
})

describe('a rule is refused by Neutron’s name', () => {
  const tcp = { protocol: 'tcp' }
  const icmp = { protocol: 'icmp' }
  it.each([
    [{ ethertype: 'IPv5' }, 'SecurityGroupRuleInvalidEtherType', "ethertype 'IPv5'"],
    [{ protocol: 'bad' }, 'SecurityGroupRuleInvalidProtocol', 'protocol bad not supported'],
    [{ protocol: 256 }, 'SecurityGroupRuleInvalidProtocol', '256'],
    [{ protocol: {} }, 'SecurityGroupRuleInvalidProtocol', '{}'],
    [{ ...tcp, portRangeMin: -16, portRangeMax: 80 }, 'SecurityGroupInvalidPortValue', 'Invalid value for port -16'],
    [{ ...tcp, portRangeMin: 80, portRangeMax: 65_536 }, 'SecurityGroupInvalidPortValue', 'Invalid value for port 65536'],
    [{ ...tcp, portRangeMin: 0, portRangeMax: 80 }, 'SecurityGroupInvalidPortValue', 'Invalid value for port 0'],
    [{ ...tcp, portRangeMin: 80, portRangeMax: 79 }, 'SecurityGroupInvalidPortRange', 'port_range_min must be <= port_range_max'],
    [{ ...tcp, portRangeMax: 6 }, 'SecurityGroupInvalidPortRange', 'port_range_min must be <= port_range_max'],
    [{ ...icmp, portRangeMin: 1, portRangeMax: 256 }, 'SecurityGroupInvalidIcmpValue', 'Invalid value for ICMP code'],
    [{ ...icmp, portRangeMin: 300, portRangeMax: 1 }, 'SecurityGroupInvalidIcmpValue', 'Invalid value for ICMP type'],
    [{ ...icmp, portRangeMax: 6 }, 'SecurityGroupMissingIcmpType', 'ICMP type (port-range-min) is missing'],
    [{ portRangeMin: 22, portRangeMax: 22 }, 'SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol'],
    [{ protocol: 'gre', portRangeMin: 1, portRangeMax: 2 }, 'SecurityGroupInvalidProtocolForPort', 'protocol 47'],
    [{ remoteIpPrefix: '192.168.1./24' }, 'InvalidCIDR', '192.168.1./24'],
    [{ remoteIpPrefix: 5 }, 'InvalidCIDR', 'Invalid CIDR 5 given as IP prefix'],
    [{ remoteIpPrefix: '2001:db8::/64' }, 'SecurityGroupRuleParameterConflict', 'ethertype IPv4 for CIDR 2001:db8::/64'],
    [{ protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol', 'Invalid ethertype IPv4 for protocol ipv6-icmp'],
    [{ protocol: 58 }, 'SecurityGroupEthertypeConflictWithProtocol', 'protocol 58'],
    [{ remoteIpPrefix: '10.0.0.0/8', remoteGroupId: 'g' }, 'SecurityGroupMultipleRemoteEntites', 'Only one of'],
  ])('%j: %s', (rule, type, message) => {
    expect(refusalOf(rule)).toEqual({ type, message: expect.stringContaining(message) })
  })
})

it('reads whatever it is given, or says what is wrong with it', () => {
  const anyRule = fc.record({
    direction: fc.constantFrom('ingress' as const, 'egress' as const),
    ethertype: fc.oneof(fc.constantFrom('IPv4', 'IPv6'), fc.jsonValue()),
    protocol: fc.oneof(fc.constantFrom('tcp', 'icmp', 'gre', null), fc.nat({ max: 300 }), fc.jsonValue()),
    portRangeMin: fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.constant(null), fc.jsonValue()),
    portRangeMax: fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.constant(null), fc.jsonValue()),
    remoteIpPrefix: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant(null), fc.jsonValue()),
    remoteGroupId: fc.constantFrom(null, 'g'),
  })
  fc.assert(
    fc.property(anyRule, (rule) => {
      const refusal = refusalOf(rule)
      if (refusal) expect(refusal).toEqual({ type: expect.any(String), message: expect.any(String) })
      else expect(readRule(readRule(rule))).toEqual(readRule(rule))
    }),
  )
})

it('knows rules that say the same', () => {
  const same = (left: Partial<GivenRule>, right: Partial<GivenRule>) =>
    meaningOf(readRule(given(left))) === meaningOf(readRule(given(right)))
  expect(same({ protocol: 'tcp' }, { protocol: 6 })).toBe(true)
  expect(same({}, { remoteIpPrefix: '0.0.0.0/0' })).toBe(true)
  expect(same({ protocol: 'icmp', ethertype: 'IPv6' }, { protocol: '58', ethertype: 'IPv6' })).toBe(true)
  expect(same({ protocol: 'tcp' }, { protocol: 'udp' })).toBe(false)
  expect(same({ remoteIpPrefix: '10.0.0.0/8' }, {})).toBe(false)
  expect(same({ direction: 'egress' }, {})).toBe(false)
})
