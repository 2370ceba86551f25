import type { NetworkId } from '@nubo/kernel'
import { groupChain, guardChain, membersSet, portChain } from './groups/chain-names.js'
import {
  bridgeName,
  gatewayLink,
  insideRouter,
  networkTag,
  routerLink,
  routerNamespace,
  serviceLink,
  serviceNamespace,
  tapName,
  uplink,
  vxlanName,
} from './names.js'
import type { HostPlan, NetworkPlan } from './plan.js'

/**
 * The networks that problems are about: whatever is made bears a name that follows from what it is for, and a problem says
 * what could not be made. Undefined where one names nothing of the plan, and may be about all of them.
 */
export function networksOf(problems: readonly string[], plan: HostPlan): NetworkId[] | undefined {
  const owners = ownersByName(plan)
  const physical = plan.networks.flatMap(({ networkId, segment }) =>
    segment.kind === 'flat' ? [{ networkId, words: `physical network ${segment.physicalNetwork}` }] : [],
  )
  const found = problems.map((text) => [
    ...(text.match(/[\w-]+/g) ?? []).flatMap((word) => owners.get(word) ?? []),
    ...physical.flatMap(({ networkId, words }) => (text.includes(words) ? [networkId] : [])),
  ])
  return found.every((networks) => networks.length > 0) ? [...new Set(found.flat())] : undefined
}

function ownersByName({ networks, ports, groups: planned, routers }: HostPlan): Map<string, readonly NetworkId[]> {
  const owners = new Map<string, NetworkId[]>()
  const note = (ids: readonly NetworkId[], names: readonly string[]) => {
    for (const name of names) owners.set(name, [...(owners.get(name) ?? []), ...ids])
  }
  for (const network of networks) note([network.networkId], namesOf(network))
  const remote = new Map(
    planned.map(({ groupId, rules }) => [groupId, rules.flatMap(({ remoteGroup }) => remoteGroup ?? [])] as const),
  )
  for (const { networkId, portId, groups } of ports) {
    // Those too whose members the port's own let in or out.
    const concerned = new Set([...groups, ...groups.flatMap((id) => remote.get(id) ?? [])])
    const ofGroups = [...concerned].flatMap((id) => [
      id,
      ...directions.map((direction) => groupChain(direction, id)),
      membersSet(4, id),
      membersSet(6, id),
    ])
    const chains = [guardChain(portId), ...directions.map((direction) => portChain(direction, portId))]
    note([networkId], [networkId, portId, tapName(portId), ...chains, ...ofGroups])
  }
  for (const { routerId, gateway, interfaces } of routers) {
    const plugs = [...(gateway ? [gateway] : []), ...interfaces]
    const links = plugs.flatMap(({ portId }) => [routerLink(portId), gatewayLink(portId), insideRouter.port(portId)])
    const namespace = routerNamespace(routerId)
    note(
      plugs.map(({ networkId }) => networkId),
      [routerId, namespace, namespace.replace(/^nurt/, 'router-'), ...links],
    )
  }
  return owners
}

const directions = ['ingress', 'egress'] as const

function namesOf(network: NetworkPlan): string[] {
  const { networkId, segment } = network
  const links = [
    bridgeName(network),
    serviceLink(network),
    uplink(network),
    ...(segment.kind === 'vxlan' ? [vxlanName(segment.vni)] : []),
  ]
  return [networkId, serviceNamespace(network), `network-${networkTag(network)}`, ...links]
}
