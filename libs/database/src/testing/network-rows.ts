import {
  newId,
  systemRandom,
  type HostId,
  type Id,
  type NetworkId,
  type PortId,
  type RouterId,
  type ServerId,
} from '@nubo/kernel'
import type { Database, Queryable } from '../connection.js'
import { noteNetworkChange } from '../networks/changes.js'
import { projectId as usualProject } from './healthy-cloud.js'

interface PortOptions {
  address: string
  mac: string
  /** Bound there, to this server or router. */
  hostId?: HostId
  serverId?: ServerId
  routerId?: RouterId
  deviceOwner?: string
  groups?: readonly string[]
}

/** Rows of networks as the API leaves them: for tests of what is made of them. */
export class NetworkRows {
  constructor(
    private readonly database: Queryable & Pick<Database, 'transaction'>,
    private readonly projectId: string = usualProject,
  ) {}

  async clear(): Promise<void> {
    await this.database.execute(
      `TRUNCATE networks, network_shares, subnets, subnet_pools, ports, port_addresses, security_groups, security_group_rules,
       port_security_groups, routers, floating_ips, network_changes, host_networks CASCADE`,
    )
  }

  /** A VXLAN network with one subnet, 10.0.0.0/24 where nothing is said. */
  async network(vni: number, cidr = '10.0.0.0/24', gateway = '10.0.0.1'): Promise<NetworkId> {
    const networkId = newId<NetworkId>(systemRandom)
    await this.database.execute(`INSERT INTO networks (id, project_id, mtu, vni) VALUES ($1, $2, 1500, $3)`, [
      networkId,
      this.projectId,
      vni,
    ])
    await this.database.execute(
      `INSERT INTO subnets (id, network_id, project_id, ip_version, cidr, gateway) VALUES (gen_random_uuid(), $1, $2, 4, $3, $4)`,
      [networkId, this.projectId, cidr, gateway],
    )
    return networkId
  }

  /** A further subnet of a network, with all of its addresses to give out but the first. */
  async subnet(networkId: NetworkId, cidr: string): Promise<string> {
    const subnetId = newId<Id<'subnet'>>(systemRandom)
    const pools = `jsonb_build_array(jsonb_build_object('start', host(network($4::inet) + 2), 'end', host(broadcast($4::inet) - 1)))`
    await this.database.execute(
      `INSERT INTO subnets (id, network_id, project_id, ip_version, cidr, pools) VALUES ($1, $2, $3, 4, $4::cidr, ${pools})`,
      [subnetId, networkId, this.projectId, cidr],
    )
    return subnetId
  }

  async port(networkId: NetworkId, options: PortOptions): Promise<PortId> {
    const portId = newId<PortId>(systemRandom)
    const { address, mac, hostId, serverId, routerId, groups = [] } = options
    const owner = options.deviceOwner ?? (serverId ? 'compute:nova' : routerId ? 'network:router_interface' : '')
    await this.database.transaction(async (tx) => {
      await tx.execute(
        `INSERT INTO ports (id, network_id, project_id, mac, device_id, device_owner, host_id, server_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [portId, networkId, this.projectId, mac, serverId ?? routerId ?? '', owner, hostId ?? null, serverId ?? null],
      )
      await tx.execute(
        `INSERT INTO port_addresses (network_id, address, subnet_id, port_id) SELECT $1, $2, id, $3 FROM subnets WHERE network_id = $1`,
        [networkId, address, portId],
      )
      await tx.execute(`INSERT INTO port_security_groups (port_id, group_id) SELECT $1, unnest($2::uuid[])`, [portId, groups])
      await noteNetworkChange(tx, 'network', networkId)
    })
    return portId
  }

  /** A group that lets its own members in, by TCP alone. */
  async group(): Promise<string> {
    const groupId = newId<Id<'security-group'>>(systemRandom)
    await this.database.execute(`INSERT INTO security_groups (id, project_id, name) VALUES ($1, $2, 'g')`, [
      groupId,
      this.projectId,
    ])
    await this.database.execute(
      `INSERT INTO security_group_rules (id, group_id, project_id, direction, ethertype, protocol, remote_group_id)
       VALUES (gen_random_uuid(), $1, $2, 'ingress', 'IPv4', 'tcp', $1)`,
      [groupId, this.projectId],
    )
    return groupId
  }

  /** That leads to an address of a port, through no router. */
  async floatingIp(outside: NetworkId, address: string, to: { portId: PortId; address: string }): Promise<void> {
    const portId = await this.port(outside, { address, mac: `floating ${address}`, deviceOwner: 'network:floatingip' })
    await this.database.execute(
      `INSERT INTO floating_ips (id, project_id, port_id, address, network_id, fixed_port_id, fixed_address)
       VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6)`,
      [this.projectId, portId, address, outside, to.portId, to.address],
    )
  }

  async router(): Promise<RouterId> {
    const routerId = newId<RouterId>(systemRandom)
    await this.database.execute(`INSERT INTO routers (id, project_id) VALUES ($1, $2)`, [routerId, this.projectId])
    await noteNetworkChange(this.database, 'router', routerId)
    return routerId
  }
}
