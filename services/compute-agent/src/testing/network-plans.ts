import type { NetworkPlan } from '@nubo/contract'
import {
  newId,
  systemRandom,
  type HostId,
  type NetworkId,
  type PortId,
  type ProjectId,
  type RouterId,
  type ServerId,
  type SessionId,
} from '@nubo/kernel'

const networkId = newId<NetworkId>(systemRandom)
const projectId = newId<ProjectId>(systemRandom)

interface Told {
  hostId: HostId
  conductor: { sessionId: SessionId | undefined }
}

/** A plan with these ports, and, where it is asked for, routers. */
export function planOf(host: Told, revision: number, { ports = [] as PortId[], routers = 0 } = {}): NetworkPlan {
  return {
    kind: 'network-plan',
    hostId: host.hostId,
    sessionId: host.conductor.sessionId!,
    revision,
    networks: [
      {
        ...{ networkId, projectId, segment: { kind: 'vxlan', vni: 7 }, mtu: 1_450, dnsDomain: '' },
        ...{ subnets: [], service: null, neighbours: [], names: [] },
      },
    ],
    ports: ports.map((id) => ({
      ...{ portId: id, networkId, projectId, serverId: newId<ServerId>(systemRandom), mac: 'fa:16:3e:00:00:01' },
      ...{ addresses: [], adminStateUp: true, portSecurity: true, allowedPairs: [], groups: [], hostname: null },
      ...{ extraDhcpOptions: [], serverMetadata: {}, publicIpv4: null, passwordClears: 0 },
    })),
    groups: [],
    routers: Array.from({ length: routers }, () => ({
      ...{ routerId: newId<RouterId>(systemRandom), projectId, incarnation: 1, adminStateUp: true, gateway: null },
      ...{ interfaces: [], routes: [], floatingIps: [] },
    })),
  }
}
