import { describe, expect, it } from '@jest/globals'
import type { HostPlan } from './plan.js'
import { anyEgress, egress, emptyPlan, gatewayOf, groupOf, ingress, networkOf, portOf, routerOf } from './testing/plans.js'
import { subnetOf } from './testing/served-networks.js'
import { trace, type Hop, type TracedPacket } from './trace.js'

const external = networkOf(100, {
  segment: { kind: 'flat', physicalNetwork: 'outside' },
  subnets: [subnetOf({ cidr: '203.0.113.0/24' })],
})
const left = networkOf(1, {
  subnets: [subnetOf({ cidr: '10.0.1.0/24', gateway: '10.0.1.1' })],
  service: { portId: portOf(external, 99).portId, mac: 'fa:16:3f:00:00:02', addresses: ['10.0.1.2'] },
  neighbours: [{ mac: 'fa:16:3e:00:00:77', addresses: ['10.0.1.77'], host: '192.0.2.12' }],
})
const right = networkOf(2, { subnets: [subnetOf({ cidr: '10.0.2.0/24', gateway: '10.0.2.1' })] })

const members = groupOf(1, [...anyEgress], { members: ['10.0.1.11/32', '203.0.113.51/32'] })
const ssh = ingress({ protocol: 6, portMin: 22, portMax: 22, remoteGroup: members.groupId })
const server = groupOf(2, [ssh])
const onlyDns = groupOf(3, [egress({ protocol: 17, portMin: 53, portMax: 53 })])

const a = portOf(left, 11, { addresses: ['10.0.1.11'], groups: [members.groupId] })
const b = portOf(right, 12, { addresses: ['10.0.2.12'], groups: [server.groupId] })
const mute = portOf(left, 13, { addresses: ['10.0.1.13'], groups: [onlyDns.groupId] })
const open = portOf(left, 14, { addresses: ['10.0.1.14'], portSecurity: false })
const router = routerOf(1, [
  { network: left, addresses: ['10.0.1.1/24'] },
  { network: right, addresses: ['10.0.2.1/24'] },
])
const gateway = gatewayOf(external, 1, ['203.0.113.10/24'], ['203.0.113.1'])
const floatingIps = [
  { address: '203.0.113.50', fixedAddress: '10.0.2.12' },
  { address: '203.0.113.51', fixedAddress: '10.0.1.11' },
]

const plan: HostPlan = {
  ...emptyPlan,
  networks: [external, left, right],
  ports: [a, b, mute, open],
  groups: [members, server, onlyDns],
  routers: [{ ...router, gateway, floatingIps }],
}

function seen(packet: Partial<TracedPacket> & Pick<TracedPacket, 'destination'>, of: Partial<HostPlan> = {}) {
  const { hops, outcome } = trace({ ...plan, ...of }, { from: a.portId, protocol: 6, port: 22, ...packet })
  return [...hops.map(wordsOf), outcome]
}

function wordsOf(hop: Hop): string {
  if (hop.at === 'port') return `${hop.direction} ${hop.verdict}`
  if (hop.at === 'network') return `${hop.address} ${hop.verdict}${hop.host ? ` ${hop.host}` : ''}`
  return `${hop.source} > ${hop.destination} ${hop.verdict}`
}

describe('a packet', () => {
  it('is judged at both ends, and let through by a rule that is named', () => {
    const { hops } = trace(plan, { from: a.portId, destination: '10.0.2.12', protocol: 6, port: 22 })
    expect(hops.at(-1)).toEqual({
      ...{ at: 'port', portId: b.portId, direction: 'ingress', verdict: 'allowed-by-rule' },
      ...{ groupId: server.groupId, rule: ssh },
    })
  })

  it.each([
    [{ from: mute.portId, destination: '10.0.2.12' }, ['egress no-rule', 'dropped']],
    [{ destination: '10.0.1.14' }, ['egress allowed-by-rule', '10.0.1.14 delivered', 'ingress not-filtered', 'arrives']],
    [{ destination: '10.0.1.77' }, ['egress allowed-by-rule', '10.0.1.77 delivered 192.0.2.12', 'leaves']],
    [{ destination: '10.0.1.99' }, ['egress allowed-by-rule', '10.0.1.99 nobody-there', 'dropped']],
    [{ destination: '10.0.1.2', protocol: 17, port: 53 }, ['egress allowed-by-rule', '10.0.1.2 answered-here', 'arrives']],
    [{ destination: 'fd00::1' }, ['egress no-address', 'dropped']],
    [{ from: mute.portId, destination: '169.254.169.254', port: 80 }, ['169.254.169.254 answered-here', 'arrives']],
    [{ from: b.portId, destination: '169.254.169.254', port: 80 }, ['169.254.169.254 nobody-there', 'dropped']],
    [
      { destination: '10.0.2.12', port: 80 },
      [
        'egress allowed-by-rule',
        '10.0.1.1 delivered',
        '10.0.1.11 > 10.0.2.12 forwarded',
        '10.0.2.12 delivered',
        'ingress no-rule',
        'dropped',
      ],
    ],
    [
      { destination: '198.51.100.1' },
      [
        'egress allowed-by-rule',
        '10.0.1.1 delivered',
        '203.0.113.51 > 198.51.100.1 forwarded',
        '203.0.113.1 delivered',
        'leaves',
      ],
    ],
    [
      { from: open.portId, destination: '198.51.100.1' },
      ['egress not-filtered', '10.0.1.1 delivered', '203.0.113.10 > 198.51.100.1 forwarded', '203.0.113.1 delivered', 'leaves'],
    ],
    [
      { destination: '203.0.113.50' },
      [
        'egress allowed-by-rule',
        '10.0.1.1 delivered',
        '203.0.113.51 > 10.0.2.12 forwarded',
        '10.0.2.12 delivered',
        'ingress allowed-by-rule',
        'arrives',
      ],
    ],
    [{ destination: '10.0.1.1' }, ['egress allowed-by-rule', '10.0.1.1 delivered', '10.0.1.11 > 10.0.1.1 forwarded', 'arrives']],
  ])('%j', (packet, expected) => {
    expect(seen(packet)).toEqual(expected)
  })

  it('goes nowhere without a router that is up and has a route', () => {
    const first = ['egress allowed-by-rule', '10.0.1.1 delivered']
    expect(seen({ destination: '198.51.100.1' }, { routers: [router] })).toEqual([
      ...first,
      '10.0.1.11 > 198.51.100.1 no-route',
      'dropped',
    ])
    const down = { ...router, adminStateUp: false }
    expect(seen({ destination: '10.0.2.12' }, { routers: [down] })).toEqual([
      ...first,
      '10.0.1.11 > 10.0.2.12 router-down',
      'dropped',
    ])
    expect(seen({ destination: '10.0.2.12' }, { routers: [] })).toEqual([
      'egress allowed-by-rule',
      '10.0.1.1 nobody-there',
      'dropped',
    ])
  })

  it('that two routers send in a circle comes to an end', () => {
    const via = (nexthop: string) => [{ destination: '192.0.2.0/24', nexthop }]
    const one = routerOf(1, [{ network: left, addresses: ['10.0.1.1/24'] }], { routes: via('10.0.1.9') })
    const two = routerOf(2, [{ network: left, addresses: ['10.0.1.9/24'] }], { routes: via('10.0.1.1') })
    expect(seen({ destination: '192.0.2.5' }, { routers: [one, two] }).at(-1)).toBe('dropped')
  })

  it('from a port that is down, or not of this host, goes nowhere', () => {
    expect(seen({ destination: '10.0.1.14' }, { ports: [{ ...a, adminStateUp: false }, open] })).toEqual([
      'egress port-down',
      'dropped',
    ])
    expect(seen({ destination: '10.0.1.14' }, { ports: [open] })).toEqual(['egress unknown-port', 'dropped'])
  })
})
