import type { NetworkPlan } from '@nubo/contract'
import type { HostId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { readHostPlan } from './host-plan.js'

/** What several hosts together carry, as if they were one: what is behind another of them is a port of its own here. */
export type MergedPlan = Pick<NetworkPlan, 'hostId' | 'revision' | 'networks' | 'ports' | 'groups' | 'routers'>

/** The plans of these hosts as one. Undefined where the first has none. */
export async function readMergedPlan(db: Queryable, hosts: readonly HostId[]): Promise<MergedPlan | undefined> {
  const plans: NetworkPlan[] = []
  for (const hostId of hosts) {
    const plan = await readHostPlan(db, hostId)
    if (plan) plans.push(plan)
  }
  const [first] = plans
  if (!first) return undefined
  return {
    hostId: first.hostId,
    revision: first.revision,
    networks: distinct(
      plans.flatMap((plan) => plan.networks),
      (network) => network.networkId,
    ),
    ports: plans.flatMap((plan) => plan.ports),
    groups: distinct(plans.flatMap((plan) => plan.groups).toSorted(byMembers), (group) => group.groupId),
    routers: plans.flatMap((plan) => plan.routers),
  }
}

/** A group's members are told to hosts alone where a rule names it: that one knows more. */
function byMembers(left: { members: readonly string[] }, right: { members: readonly string[] }): number {
  return right.members.length - left.members.length
}

/** The first of each. */
function distinct<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return [...new Map(items.toReversed().map((item) => [key(item), item])).values()]
}

/** The host with this address on the underlay. */
export async function findHostByAddress(db: Queryable, address: string): Promise<HostId | undefined> {
  const [row] = await db.query<{ id: HostId }>('SELECT id FROM hosts WHERE address = $1', [address])
  return row?.id
}

/** What these are called: networks, routers and groups, by id. */
export async function readNetworkNames(db: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; name: string }>(
    `SELECT id, name FROM networks WHERE id = ANY($1::uuid[]) UNION ALL SELECT id, name FROM routers WHERE id = ANY($1::uuid[])
     UNION ALL SELECT id, name FROM security_groups WHERE id = ANY($1::uuid[])`,
    [ids],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

export interface TracedPort {
  portId: string
  projectId: string
  serverName: string | null
}

/** Whose these ports are. */
export async function readTracedPorts(db: Queryable, ids: readonly string[]): Promise<Map<string, TracedPort>> {
  const rows = await db.query<TracedPort>(
    `SELECT p.id AS "portId", p.project_id AS "projectId", v.name AS "serverName" FROM ports p
     LEFT JOIN servers v ON v.id = p.server_id WHERE p.id = ANY($1::uuid[])`,
    [ids],
  )
  return new Map(rows.map((row) => [row.portId, row]))
}

/** Where a server's ports are bound, in the order in which the guest sees them. */
export async function readBoundPorts(
  db: Queryable,
  serverId: string,
): Promise<{ portId: string; hostId: HostId; addresses: string[] }[]> {
  return await db.query(
    `SELECT p.id AS "portId", p.host_id AS "hostId", array_agg(host(a.address) ORDER BY a.position) AS addresses
     FROM ports p JOIN port_addresses a ON a.port_id = p.id
     WHERE p.server_id = $1 AND p.host_id IS NOT NULL AND p.gone_at IS NULL
     GROUP BY p.id ORDER BY p.device_index, p.id`,
    [serverId],
  )
}
