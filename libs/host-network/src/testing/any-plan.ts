import fc from 'fast-check'
import type { HostPlan, NetworkPlan } from '../plan.js'
import { anyEgress, gatewayOf, groupOf, ingress, networkOf, routerOf } from './plans.js'
import { guestPort, neighbourOf, planOf, servedNetwork, subnetOf } from './served-networks.js'

const six = subnetOf({ cidr: 'fd00:10::/64', gateway: null, raMode: 'slaac', addressMode: 'slaac' })
const external = networkOf(9, { segment: { kind: 'flat', physicalNetwork: 'outside' } })

const anyNetwork = (vni: number) =>
  fc.record({
    isThere: fc.boolean(),
    isServed: fc.boolean(),
    mtu: fc.constantFrom(1_450, 1_500),
    hasSix: fc.boolean(),
    nameservers: fc.constantFrom([], ['9.9.9.9'], ['10.0.0.53']),
    ports: fc.subarray([11, 12, 13]),
    isGuarded: fc.boolean(),
    groups: fc.subarray([1, 2]),
    neighbours: fc.uniqueArray(fc.tuple(fc.constantFrom(21, 22, 23), fc.constantFrom('10.99.0.8', '10.99.0.9')), {
      selector: ([n]) => n,
    }),
    vni: fc.constant(vni),
  })
type AnyNetwork = ReturnType<typeof anyNetwork> extends fc.Arbitrary<infer Value> ? Value : never

function networkPlan({ vni, mtu, isServed, hasSix, nameservers, neighbours }: AnyNetwork): NetworkPlan {
  const subnets = [subnetOf({ dnsNameservers: nameservers }), ...(hasSix ? [six] : [])]
  const made = servedNetwork(vni, { mtu, subnets })
  const beyond = neighbours.map(([number, host]) => neighbourOf(guestPort(made, number), host))
  return { ...made, neighbours: beyond, ...(!isServed && { service: null }) }
}

const anyRules = fc.subarray([
  ingress({ protocol: 6, portMin: 22, portMax: 22 }),
  ingress({ remotePrefix: '192.0.2.0/24' }),
  ...anyEgress,
])

/** Plans of a small world, so that two of them have much in common, and differ in all that plans may differ in. */
export const anyPlan: fc.Arbitrary<HostPlan> = fc
  .record({
    networks: fc.tuple(anyNetwork(1), anyNetwork(2), anyNetwork(300)),
    hasExternal: fc.boolean(),
    hasRouter: fc.boolean(),
    isOpen: fc.boolean(),
    rules: fc.tuple(anyRules, anyRules),
    members: fc.subarray(['10.0.0.11/32', '10.0.0.12/32', '10.0.0.99/32']),
  })
  .map(({ networks, hasExternal, hasRouter, isOpen, rules, members }) => {
    const there = networks.filter(({ isThere }) => isThere)
    const plans = there.map(networkPlan)
    const ports = there.flatMap(({ ports, groups, isGuarded }, index) =>
      ports.map((number) =>
        guestPort(plans[index]!, number, { portSecurity: isGuarded, groups: groups.map((one) => groupOf(one, []).groupId) }),
      ),
    )
    const inside = plans.map((network) => ({ network, addresses: ['10.0.0.1/24'] })).slice(0, 1)
    const gateway = hasExternal ? gatewayOf(external, 1, ['203.0.113.5/24'], ['203.0.113.1']) : null
    return {
      ...planOf([...plans, ...(hasExternal ? [external] : [])], ports),
      groups: [
        groupOf(1, rules[0], { members }),
        groupOf(2, [...rules[1], ...(isOpen ? [ingress({ remoteGroup: groupOf(1, []).groupId })] : [])]),
      ],
      routers: hasRouter && inside.length > 0 ? [routerOf(1, inside, { gateway })] : [],
    }
  })
