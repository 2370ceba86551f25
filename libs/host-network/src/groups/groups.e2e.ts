import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ProgramBuilder } from '../engine/program.js'
import { tableDifferenceOf } from '../engine/table-difference.js'
import { withoutRefused } from '../engine/refusals.js'
import { LinuxKernel } from '../linux/linux-kernel.js'
import {
  arp,
  broadcast,
  echo,
  udp,
  advertisement,
  solicitation,
  routerAdvertisement,
  tagged,
  leaseOf,
} from '../testing/frames.js'
import { a, b, between, ends, far, JudgedBridge, network, ping, question, syn, witness } from '../testing/judged-bridge.js'
import { anyEgress, egress, emptyPlan, groupOf, ingress, testSettings } from '../testing/plans.js'
import { securityGroups } from './part.js'
import { probeTracking } from './probe.js'

let bridge: JudgedBridge

beforeAll(async () => {
  bridge = await JudgedBridge.open()
})

afterAll(() => bridge?.close())

const apply: JudgedBridge['apply'] = (plan) => bridge.apply(plan)
const passes: JudgedBridge['passes'] = (from, to, frame) => bridge.passes(from, to, frame)

describe('default group', () => {
  const open = groupOf(1, anyEgress)
  beforeAll(() => apply({ ports: [a, b].map((port) => ({ ...port, groups: [open.groupId] })), groups: [open] }))

  it('lets out and answers back in, and nothing else in', async () => {
    expect(await passes(a, far, ping(a, far))).toBe(true)
    expect(await passes(far, a, ping(far, a, 4, 'reply'))).toBe(true)
    expect(await passes(far, a, ping(far, a, 4, 'request', 8))).toBe(false)
    expect(await passes(a, far, ping(a, far, 6))).toBe(true)
    expect(await passes(far, a, ping(far, a, 6, 'reply'))).toBe(true)
    expect(await passes(far, a, ping(far, a, 6, 'request', 8))).toBe(false)
  })

  it('holds between two guests of one host', async () => {
    expect(await passes(a, b, ping(a, b))).toBe(false)
    expect(await passes(a, b, syn(a, b, 22))).toBe(false)
  })

  it.each(spoofed())('drops $what', async ({ frame }) => {
    expect(await passes(a, far, frame)).toBe(false)
  })
})

function spoofed() {
  const toFar = between(a, far)
  const asB = { from: b.mac, to: far.mac }
  const own = { mac: a.mac, address: a.addresses[0]! }
  const target = { mac: far.mac, address: far.addresses[0]! }
  const router = { from: 'fe80::f816:3eff:fe00:a', to: 'ff02::1' }
  return [
    { what: 'another MAC', frame: echo(asB, ends(a, far), 'request') },
    { what: 'another address', frame: echo(toFar, ends(b, far), 'request') },
    { what: 'another IPv6 address', frame: echo(toFar, ends(b, far, 6), 'request') },
    {
      what: 'an ARP answer for another',
      frame: arp(toFar, { operation: 'reply', sender: { ...own, address: b.addresses[0]! }, target }),
    },
    {
      what: 'an ARP answer with another MAC in it',
      frame: arp(toFar, { operation: 'reply', sender: { ...own, mac: b.mac }, target }),
    },
    { what: 'a neighbour advertisement for another', frame: advertisement(toFar, ends(a, far, 6), b.addresses[1]!, a.mac) },
    { what: 'a router advertisement', frame: routerAdvertisement({ ...toFar, to: '33:33:00:00:00:01' }, router) },
    {
      what: "a request of DHCP for another's lease",
      frame: udp(toFar, ends(a, far), { source: 68, destination: 67 }, leaseOf(b.mac)),
    },
    { what: 'an answer of DHCP', frame: udp(toFar, ends(a, far), { source: 67, destination: 68 }) },
    { what: 'an answer of DHCPv6', frame: udp(toFar, ends(a, far, 6), { source: 547, destination: 546 }) },
    { what: 'an answer of DHCP from any other place', frame: udp(toFar, ends(a, far), { source: 1067, destination: 68 }) },
    { what: 'one of DHCPv6', frame: udp(toFar, ends(a, far, 6), { source: 1547, destination: 546 }) },
    { what: 'what is in a VLAN', frame: tagged(ping(a, far), 5) },
    { what: 'an identity of the metadata service', frame: echo(toFar, { from: '240.0.16.1', to: far.addresses[0]! }, 'request') },
  ]
}

describe('what is needed to speak at all', () => {
  const closed = groupOf(2, [])
  beforeAll(() => apply({ ports: [a, b].map((port) => ({ ...port, groups: [closed.groupId] })), groups: [closed] }))

  it.each([
    [
      'a request of DHCP',
      udp(
        { from: a.mac, to: broadcast },
        { from: '0.0.0.0', to: '255.255.255.255' },
        { source: 68, destination: 67 },
        leaseOf(a.mac),
      ),
    ],
    ['a neighbour solicitation', solicitation(between(a, far), ends(a, far, 6), far.addresses[1]!)],
    ['its own neighbour advertisement', advertisement(between(a, far), ends(a, far, 6), a.addresses[1]!, a.mac)],
    ['an ARP question', arp({ from: a.mac, to: broadcast }, question(a))],
  ])('lets out %s though egress is denied', async (_, frame) => {
    expect(await passes(a, far, frame)).toBe(true)
    expect(await passes(a, far, ping(a, far, 4, 'request', 9))).toBe(false)
  })

  it('lets routers and neighbours in', async () => {
    const all = { from: far.mac, to: '33:33:00:00:00:01' }
    expect(await passes(far, a, routerAdvertisement(all, { from: 'fe80::1', to: 'ff02::1' }))).toBe(true)
    expect(await passes(far, a, solicitation(between(far, a), ends(far, a, 6), a.addresses[1]!))).toBe(true)
  })
})

describe('rules', () => {
  const withRules = (...rules: ReturnType<typeof ingress>[]) => {
    const group = groupOf(3, rules)
    return apply({ ports: [{ ...a, groups: [group.groupId] }], groups: [group] })
  }

  it('lets in a range of ports', async () => {
    await withRules(ingress({ protocol: 6, portMin: 80, portMax: 90 }))
    expect(await passes(far, a, syn(far, a, 80, 1001))).toBe(true)
    expect(await passes(far, a, syn(far, a, 90, 1002))).toBe(true)
    expect(await passes(far, a, syn(far, a, 91, 1003))).toBe(false)
    expect(await passes(far, a, udp(between(far, a), ends(far, a), { source: 1, destination: 80 }))).toBe(false)
  })

  it('knows types of ICMP', async () => {
    await withRules(ingress({ protocol: 1, portMin: 8, portMax: 0 }), ingress({ ethertype: 'IPv6', protocol: 58, portMin: 128 }))
    expect(await passes(far, a, ping(far, a, 4, 'request', 20))).toBe(true)
    expect(await passes(far, a, ping(far, a, 6, 'request', 20))).toBe(true)
    await withRules(ingress({ protocol: 1, portMin: 13, portMax: null }))
    expect(await passes(far, a, ping(far, a, 4, 'request', 21))).toBe(false)
  })

  it('lets nobody hear what a bridge floods and is meant for another', async () => {
    await withRules(ingress())
    const stray = { from: far.mac, to: 'fa:16:3e:00:99:99' }
    expect(await passes(far, a, echo(stray, ends(far, a), 'request', 25))).toBe(false)
    expect(await passes(far, a, echo({ ...stray, to: broadcast }, ends(far, a), 'request', 26))).toBe(true)
  })

  it('looks at who is at the other end', async () => {
    await withRules(ingress({ remotePrefix: '10.0.0.12/32' }), egress({ remotePrefix: '10.0.0.8/29', protocol: 17 }))
    expect(await passes(far, a, ping(far, a, 4, 'request', 30))).toBe(true)
    const stranger = { ...far, addresses: ['10.0.0.13'] }
    expect(await passes(far, a, ping(stranger, a, 4, 'request', 31))).toBe(false)
    expect(await passes(a, far, udp(between(a, far), ends(a, far), { source: 5, destination: 5 }))).toBe(true)
    expect(
      await passes(a, far, udp(between(a, far), ends(a, { ...far, addresses: ['10.0.0.16'] }), { source: 5, destination: 5 })),
    ).toBe(false)
  })
})

describe('a remote group', () => {
  const servers = (members: string[]) => {
    const clients = groupOf(5, anyEgress, { members })
    const group = groupOf(4, [ingress({ protocol: 6, portMin: 443, portMax: 443, remoteGroup: clients.groupId })])
    return apply({
      ports: [
        { ...a, groups: [group.groupId] },
        { ...b, groups: [clients.groupId] },
      ],
      groups: [clients, group],
    })
  }

  it('follows its members', async () => {
    await servers(['10.0.0.11/32'])
    expect(await passes(b, a, syn(b, a, 443, 2001))).toBe(true)
    expect(await passes(far, a, syn(far, a, 443, 2002))).toBe(false)
    await servers(['10.0.0.12', '10.0.0.12/30', '10.0.0.11'])
    expect(await passes(far, a, syn(far, a, 443, 2003))).toBe(true)
    await servers([])
    expect(await passes(b, a, syn(b, a, 443, 2004))).toBe(false)
    expect(await passes(far, a, syn(far, a, 443, 2005))).toBe(false)
  })
})

describe('what a port may be', () => {
  const open = groupOf(6, anyEgress)
  const inwards = groupOf(7, [ingress()])

  it('lets pairs through that its tenant allowed', async () => {
    const virtual = { mac: '00:00:5e:00:01:01', prefix: '10.0.0.200/32' }
    const allowedPairs = [virtual, { mac: a.mac, prefix: '192.168.5.0/24' }]
    await apply({ ports: [{ ...a, allowedPairs, groups: [open.groupId] }], groups: [open] })
    const asVirtual = { ...a, mac: virtual.mac, addresses: ['10.0.0.200'] }
    expect(await passes(a, far, ping(asVirtual, far))).toBe(true)
    expect(await passes(a, far, ping({ ...a, addresses: ['192.168.5.9'] }, far, 4, 'request', 40))).toBe(true)
    expect(await passes(a, far, ping({ ...a, addresses: ['192.168.6.9'] }, far, 4, 'request', 41))).toBe(false)
    expect(await passes(a, far, ping({ ...asVirtual, addresses: a.addresses }, far, 4, 'request', 42))).toBe(false)
  })

  it('filters nothing without port security, but identities of the metadata service', async () => {
    await apply({ ports: [{ ...a, portSecurity: false }] })
    expect(await passes(a, far, ping({ ...b, mac: '0a:00:00:00:00:01' }, far, 4, 'request', 50))).toBe(true)
    expect(await passes(far, a, syn(far, a, 22, 3001))).toBe(true)
    expect(await passes(a, far, routerAdvertisement(between(a, far), { from: 'fe80::5', to: 'ff02::1' }))).toBe(true)
    expect(await passes(a, far, ping({ ...a, addresses: ['240.0.16.1'] }, far))).toBe(false)
  })

  it('is nobody else of its network without port security: neither does it draw what is for another, nor hear it', async () => {
    const neighbours = [{ mac: far.mac, addresses: far.addresses, host: '192.0.2.12' }]
    const service = { portId: witness.portId, mac: witness.mac, addresses: witness.addresses }
    await apply({
      networks: [{ ...network, neighbours, service }],
      ports: [
        { ...a, portSecurity: false },
        { ...b, groups: [inwards.groupId] },
      ],
      groups: [inwards],
    })
    for (const [number, other] of [b, far, witness].entries())
      expect(
        await passes(a, far, arp({ from: other.mac, to: broadcast }, question({ ...other, addresses: [`10.0.7.${number}`] }))),
      ).toBe(false)
    expect(await passes(far, b, ping(far, b, 4, 'request', 52))).toBe(true)
    // The bridge has not heard of b for long, and floods.
    await bridge.forget(b)
    expect(await passes(far, a, ping(far, b, 4, 'request', 53))).toBe(false)
    const within = '0a:00:00:00:00:02'
    expect(await passes(a, far, ping({ ...a, mac: within }, far, 4, 'request', 54))).toBe(true)
    expect(await passes(far, a, ping(far, { ...a, mac: within }, 4, 'request', 55))).toBe(true)
  })

  it('passes nothing while its admin state is down', async () => {
    await apply({ ports: [{ ...a, adminStateUp: false, groups: [open.groupId] }], groups: [open] })
    expect(await passes(a, far, ping(a, far, 4, 'request', 60))).toBe(false)
    expect(await passes(a, far, arp({ from: a.mac, to: broadcast }, question(a)))).toBe(false)
    expect(await bridge.isDeaf(a)).toBe(true)
  })

  it('passes nothing where no plan names it', async () => {
    await apply({ ports: [] })
    expect(await passes(b, far, ping(b, far, 4, 'request', 61))).toBe(false)
    expect(await passes(b, far, arp({ from: b.mac, to: broadcast }, question(b)))).toBe(false)
    expect(await bridge.isDeaf(b)).toBe(true)
  })
})

it('is known again as it was written', async () => {
  const clients = groupOf(9, [...anyEgress, ingress({ ethertype: 'IPv6', remotePrefix: '2001:db8::/32' })], {
    members: ['10.1.0.9/16', '10.2.0.1', '10.2.0.1/32', 'fd00:1:0::7', '2001:0db8::/48'],
  })
  const allowedPairs = [{ mac: b.mac, prefix: 'fd00:2::/64' }]
  const plan = {
    networks: [{ ...network, service: { portId: far.portId, mac: far.mac, addresses: ['10.0.0.2'] } }],
    ports: [
      { ...a, groups: [clients.groupId], allowedPairs },
      { ...b, portSecurity: false },
    ],
    groups: [clients, groupOf(10, [ingress({ remoteGroup: clients.groupId })])],
  }
  await apply(plan)
  const { tables } = await new LinuxKernel(bridge.lab.processes).read([])
  const builder = new ProgramBuilder()
  securityGroups({ ...emptyPlan, ...plan }, testSettings, builder)
  expect(tableDifferenceOf(tables, builder.program.tables)).toEqual([])
})

it('that nft does not take is told of by its own words, with its chain', async () => {
  const group = groupOf(11, [
    ingress({ protocol: 6, portMin: 90, portMax: 80 }),
    ingress({ protocol: 6, portMin: 22, portMax: 22 }),
  ])
  const builder = new ProgramBuilder()
  const plan = { ...emptyPlan, networks: [network], ports: [{ ...a, groups: [group.groupId] }], groups: [group] }
  securityGroups(plan, testSettings, builder)
  const { program } = builder
  const kernel = new LinuxKernel(bridge.lab.processes)
  const problems = await kernel.change({ objects: [], tables: tableDifferenceOf((await kernel.read([])).tables, program.tables) })
  expect(problems).toMatchObject([
    { why: expect.stringContaining('Range has'), refused: { table: ' bridge nubo', rule: expect.stringContaining('90-80') } },
  ])
  const reduced = withoutRefused(program, [problems[0]!.refused!])
  const changes = tableDifferenceOf((await kernel.read([])).tables, reduced.tables)
  expect(await kernel.change({ objects: [], tables: changes })).toEqual([])
  expect(await passes(far, a, syn(far, a, 22, 4001))).toBe(true)
})

it('finds out who tracks connections here, and leaves nothing behind', async () => {
  const before = await bridge.lab.run('nft', 'list', 'tables')
  expect(['bridge', 'br_netfilter']).toContain(await probeTracking(bridge.lab.processes))
  expect(await bridge.lab.run('nft', 'list', 'tables')).toBe(before)
})
