import type { HostId, NetworkId, PortId, ProjectId, RouterId, SecurityGroupId, ServerId } from '@nubo/kernel'
import type { GroupPlan, HostPlan, NetworkPlan, PortPlan, RouterPlan, RulePlan } from '../plan.js'
import type { HostSettings } from '../settings.js'

const uuid = (kind: string, number: number) => `${kind}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
const shared = '5a5a5a5a-0000-4000-8000-000000000000' as ProjectId

export const testSettings: HostSettings = {
  underlayAddress: '192.0.2.11',
  vxlanPort: 4789,
  physicalNetworks: {},
  directory: '/tmp/nubo-lab',
  dnsmasqUser: 'nobody',
  dnsDomain: 'nubo.test',
  resolverPort: 5300,
  metadataPort: 8775,
  tracking: 'br_netfilter',
}

export const emptyPlan: HostPlan = {
  hostId: uuid('0a0a0a0a', 1) as HostId,
  revision: 1,
  networks: [],
  ports: [],
  groups: [],
  routers: [],
}

export function networkOf(number: number, other: Partial<NetworkPlan> = {}): NetworkPlan {
  return {
    networkId: uuid('1b1b1b1b', number) as NetworkId,
    projectId: shared,
    segment: { kind: 'vxlan', vni: number },
    mtu: 1500,
    dnsDomain: '',
    subnets: [],
    service: null,
    neighbours: [],
    names: [],
    ...other,
  }
}

/** The port of this number in a network: its id begins with the number, and so does its tap's name. */
export function portOf(network: NetworkPlan, number: number, other: Partial<PortPlan> = {}): PortPlan {
  return {
    portId: `${number.toString(16).padStart(8, '0')}-0000-4000-8000-0000000000aa` as PortId,
    networkId: network.networkId,
    projectId: shared,
    serverId: uuid('2c2c2c2c', number) as ServerId,
    mac: `fa:16:3e:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`,
    addresses: [`10.0.${number >> 8}.${number & 255}`, `fd00:1::${number.toString(16)}`],
    adminStateUp: true,
    portSecurity: true,
    allowedPairs: [],
    groups: [],
    hostname: `guest-${number}`,
    extraDhcpOptions: [],
    serverMetadata: {},
    publicIpv4: null,
    passwordClears: 0,
    ...other,
  }
}

export function groupOf(number: number, rules: readonly RulePlan[], other: Partial<GroupPlan> = {}): GroupPlan {
  return { groupId: uuid('3d3d3d3d', number) as SecurityGroupId, stateful: true, rules, members: [], ...other }
}

/** The router of this number, with an interface in each of these networks. */
export function routerOf(
  number: number,
  inside: readonly { network: NetworkPlan; addresses: string[] }[],
  other: Partial<RouterPlan> = {},
): RouterPlan {
  return {
    routerId: `${number.toString(16).padStart(8, '0')}-0000-4000-8000-0000000000bb` as RouterId,
    projectId: shared,
    incarnation: 1,
    adminStateUp: true,
    gateway: null,
    interfaces: inside.map(({ network, addresses }, index) => ({
      ...plugOf(network, number, index + 1),
      ...{ addresses, advertised: [] },
    })),
    routes: [],
    floatingIps: [],
    ...other,
  }
}

/** A router's gateway on an external network. */
export const gatewayOf = (
  network: NetworkPlan,
  number: number,
  addresses: string[],
  nexthops: string[],
): RouterPlan['gateway'] => ({
  ...plugOf(network, number, 0),
  ...{ addresses, nexthops, snat: true },
})

function plugOf({ networkId }: NetworkPlan, router: number, index: number) {
  const number = router * 16 + index
  const portId = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-0000000000cc` as PortId
  return { portId, networkId, mac: `fa:16:3e:ff:${router.toString(16).padStart(2, '0')}:${index.toString(16).padStart(2, '0')}` }
}

const anything: RulePlan = {
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: null,
  portMin: null,
  portMax: null,
  remotePrefix: null,
  remoteGroup: null,
}

export const ingress = (rule: Partial<RulePlan> = {}): RulePlan => ({ ...anything, ...rule })
export const egress = (rule: Partial<RulePlan> = {}): RulePlan => ({ ...anything, direction: 'egress', ...rule })
export const anyEgress = [egress(), egress({ ethertype: 'IPv6' })]
