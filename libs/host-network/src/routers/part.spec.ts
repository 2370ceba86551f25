import { expect, it } from '@jest/globals'
import type { RouterPlan } from '../plan.js'
import { programOf } from '../program-of.js'
import { emptyPlan, gatewayOf, networkOf, routerOf, testSettings } from '../testing/plans.js'

const [network, outside] = [networkOf(1), networkOf(2)]
const gateway = gatewayOf(outside, 1, ['203.0.113.5/24'], ['203.0.113.1'])
const inside = [{ network, addresses: ['10.0.0.1/24', 'fd00::1/64'] }]

/** The ways that a router has, by what a tenant named. */
function waysOf(routes: RouterPlan['routes'], floatingIps: RouterPlan['floatingIps'] = []): string[] {
  const router = routerOf(1, inside, { gateway, routes, floatingIps })
  const program = programOf({ ...emptyPlan, networks: [network, outside], routers: [router] }, testSettings)
  expect(program.troubles).toEqual([])
  return [...program.objects.values()].flatMap((object) =>
    object.kind === 'route' ? [`${object.destination} ${object.via}`] : [],
  )
}
const to = (destination: string, nexthop: string) => ({ destination, nexthop })

it('goes by whom its tenant names, and out', () => {
  expect(waysOf([to('10.9.0.0/16', '10.0.0.9'), to('fd09::/64', 'fd00::9')])).toEqual([
    'default 203.0.113.1',
    '10.9.0.0/16 10.0.0.9',
    'fd09::/64 fd00::9',
  ])
})

it.each([
  ['itself', '10.0.0.1'],
  ['itself, of IPv6', 'fd00::1'],
  ['an address that floats at it', '203.0.113.77'],
  ['all of its network at once', '10.0.0.255'],
  ['all of the outside at once', '203.0.113.255'],
])('goes nowhere by %s, which the kernel would refuse', (_, nexthop) => {
  const floating = [{ address: '203.0.113.77', fixedAddress: '10.0.0.7' }]
  const destination = nexthop.includes(':') ? 'fd09::/64' : '10.9.0.0/16'
  expect(waysOf([to(destination, nexthop)], floating)).toEqual(['default 203.0.113.1'])
})

it('reaches a network that it is in itself, whatever its tenant names: the kernel would forget its own way', () => {
  const routes = [to('10.0.0.0/24', '10.0.0.9'), to('203.0.113.0/24', '10.0.0.9'), to('10.0.0.0/25', '10.0.0.9')]
  expect(waysOf(routes)).toEqual(['default 203.0.113.1', '10.0.0.0/25 10.0.0.9'])
})
