import { networkQuotaResources } from '@nubo/domain'
import { counted, type HostId, type PortId, type ProjectId, type RouterId, type ServerId } from '@nubo/kernel'
import { hostIsAlive } from '../hosts/services.js'
import { countedUse, networkUse, noUse, type NetworkUse } from '../networks/counted-resources.js'
import type { RecordCheck } from './check.js'
import { finding } from './finding.js'

interface PortRow {
  portId: PortId
  serverId: ServerId
  hostId: HostId | null
}

const serverOf = `v.id = p.server_id AND p.gone_at IS NULL`

const readLeft = `
  SELECT p.id AS "portId", v.id AS "serverId", p.host_id AS "hostId" FROM ports p JOIN servers v ON ${serverOf}
  WHERE (p.made_for_server OR p.host_id IS NOT NULL) AND v.deleted_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM allocations a WHERE a.server_id = v.id)
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY p.id LIMIT $1`

/** Promise 6: a deleted server's ports are free, and those that were made for it are gone. */
export const deletionFreesPorts: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<PortRow>(readLeft, [limit])
  return rows.map(({ portId, serverId }) =>
    finding('port.of-deleted', {
      about: { serverId, portId },
      message: `Server ${serverId} is deleted and nothing is held for it, and port ${portId} is still its own.`,
    }),
  )
}

const readAstray = `
  SELECT p.id AS "portId", v.id AS "serverId", p.host_id AS "hostId" FROM ports p JOIN servers v ON ${serverOf}
  WHERE v.deleted_at IS NULL AND p.host_id IS DISTINCT FROM v.host_id
    AND NOT EXISTS (SELECT FROM operations o WHERE o.server_id = v.id AND o.state IN ('running', 'unwinding'))
  ORDER BY p.id LIMIT $1`

/** Promise 2: a server's ports are where the server is. */
export const portsAreWithTheirServer: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<PortRow>(readAstray, [limit])
  return rows.map(({ portId, serverId, hostId }) =>
    finding('port.astray', {
      about: { serverId, portId, ...(hostId && { hostId }) },
      message: `Port ${portId} of server ${serverId} is bound to ${hostId ? `host ${hostId}, which is not the server's` : 'no host, and the server is on one'}.`,
    }),
  )
}

interface HeldRow {
  portId: PortId
  hostId: HostId
  hostName: string
  goneAt: Date
}

/** Since its host came it has had time to say so; what it cannot do it has said. */
const readHeld = `
  SELECT DISTINCT ON (p.gone_at, p.id) p.id AS "portId", h.id AS "hostId", h.name AS "hostName", p.gone_at AS "goneAt"
  FROM ports p LEFT JOIN port_holders c ON c.port_id = p.id JOIN hosts h ON h.id = COALESCE(p.host_id, c.host_id)
    LEFT JOIN host_networks n ON n.host_id = h.id
  WHERE p.gone_at IS NOT NULL AND n.trouble IS NULL AND ${hostIsAlive}
    AND GREATEST(p.gone_at, h.updated_at) < clock_timestamp() - $3 * interval '1 millisecond'
  ORDER BY p.gone_at, p.id, h.id LIMIT $2`

/** Promise 6: a deleted port's addresses are free once its host has let go of them. */
export const addressesAreLetGoOf: RecordCheck = async (db, { silenceMs, limit, graceMs }) => {
  const rows = await db.query<HeldRow>(readHeld, [silenceMs, limit, graceMs])
  return rows.map(({ portId, hostId, hostName, goneAt }) =>
    finding('port.held', {
      about: { portId, hostId, hostName },
      message: `Port ${portId} is deleted, and host ${hostName}, which answers, has not said that it let go of its addresses.`,
      since: goneAt,
    }),
  )
}

interface LeavingRow {
  routerId: RouterId
  hostId: HostId
  hostName: string
}

/** The host carries all that it was told, nothing is to be told, and the router waits all the same: in one snapshot, for good. */
const readLeaving = `
  SELECT r.id AS "routerId", h.id AS "hostId", h.name AS "hostName"
  FROM routers r JOIN hosts h ON h.id = r.left_host_id LEFT JOIN host_networks n ON n.host_id = h.id
  WHERE NOT h.forced_down AND n.trouble IS NULL AND COALESCE(n.wanted = n.applied AND COALESCE(r.plan_revision, 0) <= n.applied, true)
    AND NOT EXISTS (SELECT FROM network_changes) ORDER BY r.id LIMIT $1`

/** Promise 3: a router that left a host comes to another as soon as that one has let go of it. */
export const routersArrive: RecordCheck = async (db, { limit }) => {
  const rows = await db.query<LeavingRow>(readLeaving, [limit])
  return rows.map(({ routerId, hostId, hostName }) =>
    finding('router.waiting', {
      about: { routerId, hostId, hostName },
      message: `Router ${routerId} waits for host ${hostName} to let go of it, which was told of all that there is to tell.`,
    }),
  )
}

interface WaitingRow {
  hostId: HostId
  hostName: string
  ports: number
  since: Date
}

/** A router's ports come to a host with no word of when. */
const readWaiting = `
  SELECT h.id AS "hostId", h.name AS "hostName", count(*)::int AS ports, min(p.updated_at) AS since
  FROM ports p JOIN hosts h ON h.id = p.host_id LEFT JOIN host_networks n ON n.host_id = h.id
  WHERE p.server_id IS NOT NULL AND p.gone_at IS NULL AND p.status = 'BUILD' AND n.trouble IS NULL AND ${hostIsAlive}
    AND GREATEST(p.updated_at, h.updated_at) < clock_timestamp() - $3 * interval '1 millisecond'
  GROUP BY h.id ORDER BY h.name LIMIT $2`

/** Promise 3: a host that was told of ports carries them, or says why it cannot. */
export const portsAreCarried: RecordCheck = async (db, { silenceMs, limit, graceMs }) => {
  const rows = await db.query<WaitingRow>(readWaiting, [silenceMs, limit, graceMs])
  return rows.map(({ hostId, hostName, ports, since }) =>
    finding('network.unanswered', {
      about: { hostId, hostName },
      message: `Host ${hostName} answers, and neither carries ${counted(ports, 'port')} that it was told of nor says why.`,
      since,
    }),
  )
}

interface PlanRow {
  hostId: HostId
  hostName: string
  trouble: string | null
  warning: string | null
}

const readTroubled = `
  SELECT n.host_id AS "hostId", h.name AS "hostName", n.trouble, n.warning FROM host_networks n JOIN hosts h ON h.id = n.host_id
  WHERE (n.trouble IS NOT NULL OR n.warning IS NOT NULL) AND ${hostIsAlive} ORDER BY h.name LIMIT $2`

/** A host that says what it cannot do of its networks, or does badly, is to be helped. */
export const hostsCarryTheirNetworks: RecordCheck = async (db, { silenceMs, limit }) => {
  const rows = await db.query<PlanRow>(readTroubled, [silenceMs, limit])
  return rows.flatMap(({ hostId, hostName, trouble, warning }) => {
    const about = { hostId, hostName }
    return [
      ...(trouble === null
        ? []
        : [finding('network.trouble', { about, message: `Host ${hostName} cannot make all of its networks: ${trouble}` })]),
      ...(warning === null
        ? []
        : [finding('network.warning', { about, message: `Of its networks host ${hostName} says: ${warning}` })]),
    ]
  })
}

const readUntold = `
  SELECT min(changed_at) AS since, count(*) AS changes FROM network_changes
  WHERE changed_at < clock_timestamp() - $1 * interval '1 millisecond' HAVING count(*) > 0`

/** Promise 3: what changed reaches the hosts. */
export const networkChangesAreTold: RecordCheck = async (db, { graceMs }) => {
  const rows = await db.query<{ since: Date; changes: number }>(readUntold, [graceMs])
  return rows.map(({ since, changes }) =>
    finding('network.untold', {
      about: {},
      message: `Changes of networks (${changes}) wait to be told to their hosts.`,
      since,
    }),
  )
}

const readUse = `
  WITH used AS (${networkUse})
  SELECT COALESCE(q.project_id, u.project_id) AS "projectId", held.counted, held.used
  FROM project_quotas q FULL JOIN used u ON u.project_id = q.project_id
    CROSS JOIN LATERAL (SELECT ${countedUse('q')} AS counted, COALESCE(u.use, ${noUse}) AS used) held
  WHERE held.counted <> held.used ORDER BY 1 LIMIT $1`

/** Promise 8: what a project is said to use of networks is what it has. */
export const networkUseIsCounted: RecordCheck = async (db, { limit }) => {
  const projects = await db.query<{ projectId: ProjectId; counted: NetworkUse; used: NetworkUse }>(readUse, [limit])
  return projects.map(({ projectId, counted, used }) =>
    finding('quota.network-use-differs', {
      about: { projectId },
      message: `Project ${projectId} is counted as using ${differences(counted, used)}.`,
      found: { counted, used },
    }),
  )
}

function differences(counted: NetworkUse, used: NetworkUse): string {
  const resources = networkQuotaResources.filter((each) => counted[each] !== used[each])
  return resources.map((each) => `${counted[each]} of ${each} where it has ${used[each]}`).join(', ')
}
