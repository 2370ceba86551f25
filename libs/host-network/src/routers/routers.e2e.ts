import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Follower } from '../follower.js'
import { Connections } from '../groups/connections.js'
import { bridgeOf, tapName } from '../names.js'
import type { HostPlan, NetworkPlan, PortPlan, RouterPlan } from '../plan.js'
import { eventually } from '../testing/eventually.js'
import { Lab, seenAs, Talk } from '../testing/lab.js'
import { anyEgress, emptyPlan, gatewayOf, groupOf, ingress, networkOf, portOf, routerOf, testSettings } from '../testing/plans.js'
import { Announcements } from './announcements.js'
import { TranslatedConnections } from './translated.js'
import { entering } from '../entering.js'

const settings = { ...testSettings, physicalNetworks: { outside: { device: 'x0' } } }
const external = networkOf(100, { segment: { kind: 'flat', physicalNetwork: 'outside' } })
const one = networkOf(1)
const two = networkOf(2)
/** Of another tenant, who chose the same addresses. */
const other = networkOf(3)

const open = groupOf(1, [...anyEgress, ingress()])
const closed = groupOf(2, anyEgress)

const a = portOf(one, 11, { addresses: ['10.0.1.11'], groups: [open.groupId] })
const b = portOf(two, 12, { addresses: ['10.0.2.12'], groups: [open.groupId] })
const shut = portOf(one, 13, { addresses: ['10.0.1.13'], groups: [closed.groupId] })
const stranger = portOf(other, 14, { addresses: ['10.0.1.11'], groups: [open.groupId] })
const guests = [a, b, shut, stranger]

const world = 'world'
const far = '198.51.100.1'
const worldGateway = '203.0.113.1'

const router = routerOf(1, [
  { network: one, addresses: ['10.0.1.1/24'] },
  { network: two, addresses: ['10.0.2.1/24'] },
])
const withGateway = (over: Partial<RouterPlan> = {}): RouterPlan => ({
  ...router,
  gateway: gatewayOf(external, 1, ['203.0.113.10/24'], [worldGateway]),
  ...over,
})
const strangersRouter = routerOf(2, [{ network: other, addresses: ['10.0.1.1/24'] }], {
  gateway: gatewayOf(external, 2, ['203.0.113.20/24'], [worldGateway]),
})

let lab: Lab

let followers: Follower[]

const networkOfPort = ({ networkId }: PortPlan) => [one, two, other].find((network) => network.networkId === networkId)!

async function apply(...routers: RouterPlan[]): Promise<void> {
  const plan: HostPlan = { ...emptyPlan, networks: [external, one, two, other], ports: guests, groups: [open, closed], routers }
  expect((await lab.apply(plan, settings)).problems).toEqual([])
  for (const follower of followers) await follower.follow(plan)
}

beforeAll(async () => {
  lab = await Lab.open()
  followers = [new Connections(lab.processes), new TranslatedConnections(lab.processes), new Announcements(lab.processes)]
  await makeWorld()
  await apply()
  for (const guest of guests) await makeGuest(guest)
})

afterAll(() => lab?.close())

async function makeWorld(): Promise<void> {
  await lab.run('ip', 'netns', 'add', world)
  await lab.run('ip', 'link', 'add', 'x0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', world)
  await lab.run(...entering(world), 'ip', 'link', 'set', 'eth0', 'up')
  await lab.run(...entering(world), 'ip', 'link', 'set', 'lo', 'up')
  await lab.address(world, [`${worldGateway}/24`, `${far}/32`])
  await Talk.serve(lab, world, 80)
}

async function makeGuest(guest: PortPlan): Promise<void> {
  const network = networkOfPort(guest)
  await lab.plug(guest.hostname!, tapName(guest.portId), bridgeOf(network, settings)!, guest.mac)
  const [address] = guest.addresses
  await lab.address(guest.hostname!, [`${address}/24`], address!.replace(/\d+$/, '1'))
  await Talk.serve(lab, guest.hostname!, 80)
}

const fromWorld = (address: string) => seenAs(lab, world, address, 80)
const from = (guest: PortPlan, address: string) => seenAs(lab, guest.hostname!, address, 80)

describe('a router', () => {
  it('leads from one of its networks to the other, and nowhere else', async () => {
    await apply(router)
    expect(await from(a, '10.0.2.12')).toBe('10.0.1.11')
    expect(await from(a, far)).toBe('-')
    expect(await from(stranger, '10.0.2.12')).toBe('-')
  })

  it('lets guests out under its own address, and nobody in', async () => {
    await apply(withGateway())
    expect(await from(a, far)).toBe('203.0.113.10')
    await lab.run(...entering(world), 'ip', 'route', 'replace', '10.0.0.0/16', 'via', '203.0.113.10')
    expect(await fromWorld('10.0.1.11')).toBe('-')
    await lab.run(...entering(world), 'ip', 'route', 'del', '10.0.0.0/16')
  })

  it('shows addresses as they are where it is not to translate', async () => {
    const { gateway } = withGateway()
    await apply(withGateway({ gateway: { ...gateway!, snat: false } }))
    await lab.run(...entering(world), 'ip', 'route', 'replace', '10.0.0.0/16', 'via', '203.0.113.10')
    expect(await from(a, far)).toBe('10.0.1.11')
    expect(await fromWorld('10.0.1.11')).toBe(worldGateway)
    await lab.run(...entering(world), 'ip', 'route', 'del', '10.0.0.0/16')
  })

  it('is one of several with the same networks behind them', async () => {
    await apply(withGateway(), strangersRouter)
    expect(await from(a, far)).toBe('203.0.113.10')
    expect(await from(stranger, far)).toBe('203.0.113.20')
  })

  it('passes nothing while its admin state is down', async () => {
    await apply(withGateway({ adminStateUp: false }))
    expect(await from(a, '10.0.2.12')).toBe('-')
  })

  it('knows further routes', async () => {
    await apply({ ...withGateway(), routes: [{ destination: '192.0.2.0/24', nexthop: '10.0.2.12' }] })
    await lab.address(b.hostname!, ['192.0.2.7/24'])
    const pinged = lab.run(...entering(a.hostname!), 'ping', '-c', '1', '-W', '3', '192.0.2.7')
    // Its guard lets the guest answer from no address but its own.
    await expect(pinged).rejects.toThrow()
    const heard = await lab.run(...entering('nurt00000001'), 'ip', 'route', 'get', '192.0.2.7')
    expect(heard).toContain('via 10.0.2.12')
  })
})

describe('a floating address', () => {
  const floating = (address: string, guest: PortPlan) => ({ address, fixedAddress: guest.addresses[0]! })

  beforeEach(() =>
    apply(withGateway({ floatingIps: [floating('203.0.113.50', a), floating('203.0.113.51', shut)] }), strangersRouter),
  )

  it('leads to its guest, who sees who calls, and goes out under it', async () => {
    expect(await fromWorld('203.0.113.50')).toBe(worldGateway)
    expect(await from(a, far)).toBe('203.0.113.50')
    expect(await from(b, far)).toBe('203.0.113.10')
  })

  it('is no way around the groups', async () => {
    expect(await fromWorld('203.0.113.51')).toBe('-')
    expect(await from(shut, far)).toBe('203.0.113.51')
  })

  it('is reached from the inside too, by its own neighbours and by another tenant', async () => {
    expect(await from(b, '203.0.113.50')).toBe('203.0.113.10')
    expect(await from(shut, '203.0.113.50')).toBe('203.0.113.51')
    expect(await from(a, '203.0.113.50')).toBe('203.0.113.50')
    expect(await from(stranger, '203.0.113.50')).toBe('203.0.113.20')
  })

  it('leaves nobody behind when it is given to another guest', async () => {
    const talk = Talk.call(lab, world, '203.0.113.50', 80)
    expect(await talk.hear()).toBe(worldGateway)
    expect(await talk.say('still there')).toBe('still there')
    await apply(withGateway({ floatingIps: [floating('203.0.113.50', b)] }))
    expect(await talk.say('and now')).toBe('-')
    talk.end()
    expect(await from(b, far)).toBe('203.0.113.50')
    expect(await from(a, far)).toBe('203.0.113.10')
    expect(await fromWorld('203.0.113.50')).toBe(worldGateway)
  })

  it('is announced where it moves to', async () => {
    expect(await fromWorld('203.0.113.50')).toBe(worldGateway)
    await apply(withGateway(), { ...strangersRouter, floatingIps: [floating('203.0.113.50', stranger)] })
    await eventually(async () => {
      const known = await lab.run(...entering(world), 'ip', 'neighbour', 'show', '203.0.113.50')
      expect(known).toContain(strangersRouter.gateway!.mac)
    })
  })

  it('disturbs nobody else when it goes', async () => {
    const talk = Talk.call(lab, b.hostname!, far, 80)
    expect(await talk.hear()).toBe('203.0.113.10')
    await apply(withGateway())
    expect(await talk.say('still there')).toBe('still there')
    talk.end()
    expect(await fromWorld('203.0.113.50')).toBe('-')
  })
})

it('keeps guests away from the host', async () => {
  await lab.run('ip', 'address', 'add', '192.0.2.99/32', 'dev', 'lo')
  await Talk.serve(lab, undefined, 8099)
  await apply(withGateway())
  for (const network of [one, external] as NetworkPlan[])
    await lab.run('ip', 'address', 'add', '192.0.2.99/32', 'dev', bridgeOf(network, settings)!)
  await lab.run(...entering(a.hostname!), 'ip', 'route', 'replace', '192.0.2.99', 'via', '10.0.1.1')
  expect(await seenAs(lab, a.hostname!, '192.0.2.99', 8099)).toBe('-')
  // Nor by the bridge itself, whose MAC a guest may guess.
  const [{ address: mac }] = JSON.parse(await lab.run('ip', '-json', 'link', 'show', bridgeOf(one, settings)!))
  await lab.run(...entering(a.hostname!), 'ip', 'neighbour', 'replace', '10.0.1.99', 'lladdr', mac, 'dev', 'eth0')
  await lab.run(...entering(a.hostname!), 'ip', 'route', 'replace', '192.0.2.99', 'via', '10.0.1.99')
  expect(await seenAs(lab, a.hostname!, '192.0.2.99', 8099)).toBe('-')
})

it('changes nothing a second time, and leaves nothing behind', async () => {
  const plan: HostPlan = {
    ...emptyPlan,
    networks: [external, one, two, other],
    ports: guests,
    groups: [open, closed],
    routers: [withGateway({ floatingIps: [{ address: '203.0.113.50', fixedAddress: '10.0.1.11' }] }), strangersRouter],
  }
  await lab.apply(plan, settings)
  expect(await lab.apply(plan, settings)).toEqual({ changes: 0, problems: [] })
  await lab.apply({ ...plan, routers: [] }, settings)
  expect(await lab.run('ip', 'netns', 'list')).not.toContain('nurt')
  expect(await lab.run('ip', 'link')).not.toMatch(/nur[ig]/)
})
