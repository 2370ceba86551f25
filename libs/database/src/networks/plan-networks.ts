import { usualDomain } from '@nubo/contract'
import type { HostId, NetworkId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { nameOf, type PortRow } from './plan-ports.js'

interface NetworkRow {
  networkId: NetworkId
  projectId: string
  networkType: 'vxlan' | 'flat'
  vni: number | null
  physicalNetwork: string | null
  mtu: number
  dnsDomain: string
}

const networks = `
  SELECT id AS "networkId", project_id AS "projectId", network_type AS "networkType", vni, physical_network AS "physicalNetwork",
    mtu, dns_domain AS "dnsDomain" FROM networks WHERE id = ANY($1::uuid[]) ORDER BY id`

const subnets = `
  SELECT network_id AS "networkId", text(cidr) AS cidr, host(gateway) AS gateway, dhcp, dns_nameservers AS "dnsNameservers",
    host_routes AS "hostRoutes", ra_mode AS "raMode", address_mode AS "addressMode"
  FROM subnets WHERE network_id = ANY($1::uuid[]) ORDER BY id`

/** The networks that a host carries, with what it must know of their ports elsewhere. */
export async function planNetworks(db: Queryable, hostId: HostId, ports: readonly PortRow[]) {
  const ids = [...new Set(ports.map((port) => port.networkId))]
  if (ids.length === 0) return []
  const subnetRows = await db.query<{ networkId: NetworkId; dhcp: boolean }>(subnets, [ids])
  const subnetsOf = Map.groupBy(subnetRows, (row) => row.networkId)
  const portsOf = Map.groupBy(ports, (port) => port.networkId)
  return (await db.query<NetworkRow>(networks, [ids])).map(({ networkType, vni, physicalNetwork, ...network }) => ({
    ...network,
    segment: networkType === 'vxlan' ? { kind: 'vxlan', vni } : { kind: 'flat', physicalNetwork },
    subnets: (subnetsOf.get(network.networkId) ?? []).map(({ networkId: _, ...subnet }) => subnet),
    ...whatPortsSay(hostId, network.dnsDomain, portsOf.get(network.networkId) ?? []),
  }))
}

function whatPortsSay(hostId: HostId, dnsDomain: string, ports: readonly PortRow[]) {
  const service = ports.find((port) => port.deviceOwner === 'network:dhcp')
  const elsewhere = ports.filter((port) => port.hostId !== null && port.hostId !== hostId)
  return {
    service: service ? { portId: service.portId, mac: service.mac, addresses: service.addresses } : null,
    neighbours: elsewhere.map(({ mac, addresses, hostAddress }) => ({ mac, addresses, host: hostAddress })),
    names: ports.flatMap((port) => {
      const name = nameWithin(dnsDomain || usualDomain, nameOf(port))
      return name ? [{ name, addresses: port.addresses }] : []
    }),
  }
}

/** Without the domain, with which a name may end that has a final dot; null for one of another domain. */
function nameWithin(domain: string, name: string | null): string | null {
  if (!name?.endsWith('.')) return name
  const ending = `.${domain.replace(/\.$/, '')}.`
  return name.endsWith(ending) ? name.slice(0, -ending.length) : null
}
