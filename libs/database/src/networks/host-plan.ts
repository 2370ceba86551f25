import { readNetworkPlan, type NetworkPlan, type UnreadableUnit } from '@nubo/contract'
import { assert, type HostId, type SessionId } from '@nubo/kernel'
import type { Queryable } from '../connection.js'
import { planGroups } from './plan-groups.js'
import { planNetworks } from './plan-networks.js'
import { isGuestPort, planPort, readPorts, readPublicAddresses, type PortRow } from './plan-ports.js'
import { planRouters } from './plan-routers.js'

interface RevisionRow {
  revision: number
  sessionId: SessionId
}

const readRevision = `
  SELECT n.wanted AS revision, h.session_id AS "sessionId" FROM host_networks n JOIN hosts h ON h.id = n.host_id
  WHERE n.host_id = $1 AND h.session_id IS NOT NULL AND n.wanted > 0`

/**
 * All that a host's networks are to be now. To be read in one snapshot: a plan holds at least what was committed before its
 * revision was raised. Undefined for a host without a session, or that has never had any of it.
 */
export async function readHostPlan(db: Queryable, hostId: HostId): Promise<NetworkPlan | undefined> {
  const [row] = await db.query<RevisionRow>(readRevision, [hostId])
  if (!row) return undefined
  const ports = await readPorts(db, hostId)
  const own = ports.filter((port) => port.hostId === hostId)
  const guests = own.filter(isGuestPort)
  const publicAddresses = await readPublicAddresses(db, hostId)
  return asTold({
    kind: 'network-plan',
    hostId,
    ...row,
    networks: await planNetworks(db, hostId, ports),
    ports: guests.map((port) => planPort(port, publicAddresses)),
    groups: await planGroups(db, groupsOf(guests)),
    routers: await planRouters(db, hostId, own),
  })
}

/**
 * A unit that breaks the contract is told as it is: the host carries all others, and says which one it cannot read. To keep the
 * plan back would stop all networks of the host.
 */
function asTold(composed: Record<string, unknown>): NetworkPlan {
  const read = readNetworkPlan(composed)
  assert(read, 'what is composed is a plan')
  return read.unreadable.reduce(withUnit, read.plan)
}

const withUnit = (plan: NetworkPlan, { list, unit }: UnreadableUnit): NetworkPlan => ({ ...plan, [list]: [...plan[list], unit] })

/** Ports without port security are in no group that matters. */
function groupsOf(guests: readonly PortRow[]): string[] {
  return [...new Set(guests.filter((port) => port.portSecurity).flatMap((port) => port.groups))]
}
