import { computeQueue, surveyAnswer } from '@nubo/contract'
import { examine, type HostSurvey } from '@nubo/database'
import { assert, type ServerId } from '@nubo/kernel'
import type { World } from './world.js'

/** Of time that stands still: an agent that lives answers. */
const answerWithinMs = 1_000

/** What a server has come to: equal in two runs that must come to the same. */
export interface Outcome {
  vmState: string
  taskState: string | null
  wanted: string
  powerState: number
  /** Of its last operation. */
  operation: string
  /** Its guests on all hosts. */
  running: number
  defined: number
}

interface ServerState extends Omit<Outcome, 'running' | 'defined'> {
  hostId: string | null
  incarnation: number
}

export async function outcomeOf(world: World, id: ServerId): Promise<Outcome> {
  const { hostId: _host, incarnation: _incarnation, ...state } = await stateOf(world, id)
  const guests = guestsOf(world, id)
  return { ...state, defined: guests.length, running: guests.filter((guest) => guest.running).length }
}

/** All that is recorded of a server, and all that lies on the hosts, but for times: what a late message must not change. */
export async function everythingOf(world: World, id: ServerId): Promise<unknown> {
  const server = await stateOf(world, id)
  const records = await world.database.query(
    `SELECT (SELECT count(*)::int FROM operations WHERE server_id = $1) AS operations, v.fence, v.power_state, v.fault,
       (SELECT count(*)::int FROM operation_steps s JOIN operations o ON o.id = s.operation_id WHERE o.server_id = $1) AS steps,
       (SELECT json_agg(a.* ORDER BY a.incarnation) FROM allocations a WHERE a.server_id = $1) AS allocations
     FROM servers v WHERE v.id = $1`,
    [id],
  )
  const files = await Promise.all(world.hosts.map((host) => host.guestFiles()))
  return { server, records, guests: guestsOf(world, id), files }
}

/** What is wrong with a server that has come to rest, and with what its hosts and its project are charged for it. */
export async function whatIsWrongWith(world: World, id: ServerId): Promise<string[]> {
  const { vmState, taskState, hostId, incarnation } = await stateOf(world, id)
  const wrong: string[] = []
  const say = (isSo: boolean, words: string) => void (isSo && wrong.push(words))
  say(taskState !== null, `it is still ${taskState}`)
  const guests = guestsOf(world, id)
  const running = guests.filter((guest) => guest.running)
  say(
    guests.some((guest) => guest.hostId !== hostId),
    'a guest is on a host that is not its own',
  )
  say(vmState === 'active' && running.length !== 1, `it is ACTIVE, and ${running.length} guests of it run`)
  say(vmState === 'active' && running[0]?.incarnation !== incarnation, 'what runs is of another incarnation')
  say(vmState === 'stopped' && running.length !== 0, `it is SHUTOFF, and ${running.length} guests of it run`)
  const strays = (await filesOf(world, id)).filter((file) => file.hostId !== hostId || !file.name.endsWith(`-${incarnation}`))
  say(strays.length > 0, `files are left on a host: ${strays.map((file) => file.name).join(', ')}`)
  const allocations = await world.database.query<{ hostId: string; incarnation: number }>(
    `SELECT host_id AS "hostId", incarnation FROM allocations WHERE server_id = $1`,
    [id],
  )
  const held = hostId ? [{ hostId, incarnation }] : []
  say(
    JSON.stringify(allocations) !== JSON.stringify(held),
    `it holds room ${JSON.stringify(allocations)}, not ${JSON.stringify(held)}`,
  )
  return [...wrong, ...(await whatIsWrongWithPorts(world, id)), ...(await whatIsPromisedAndNotSo(world))]
}

/** A port that its server has not, or that is bound elsewhere, is in no guest: its address may be somebody else's. */
async function whatIsWrongWithPorts(world: World, id: ServerId): Promise<string[]> {
  const ports = await world.database.query<{ id: string; hostId: string | null }>(
    'SELECT id, host_id AS "hostId" FROM ports WHERE server_id = $1 AND gone_at IS NULL',
    [id],
  )
  const guests = world.hosts.filter((host) => host.hypervisor.guestsInTruth().some(({ serverId }) => serverId === id))
  const plugged = await Promise.all(
    guests.map(async (host) => (await host.hypervisor.nics(id)).map(({ portId }) => ({ portId, hostId: host.id }))),
  )
  return plugged
    .flat()
    .filter(({ portId, hostId }) => !ports.some((port) => port.id === portId && port.hostId === hostId))
    .map(({ portId, hostId }) => `a guest on ${hostId} has an interface of port ${portId}, which is not bound there`)
}

/** What is left of anything, after everything was deleted. */
export async function whatIsLeft(world: World): Promise<string[]> {
  const [counts] = await world.database.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM allocations) AS allocations,
       (SELECT count(*)::int FROM servers WHERE deleted_at IS NULL) AS servers,
       (SELECT count(*)::int FROM operations WHERE state IN ('running', 'unwinding')) AS "live operations",
       (SELECT count(*)::int FROM operation_steps WHERE state = 'open') AS "open steps",
       (SELECT count(*)::int FROM ports) AS ports,
       (SELECT count(*)::int FROM port_addresses) AS addresses,
       (SELECT COALESCE(sum(used_ports), 0)::int FROM project_quotas) AS "of the ports' quota",
       (SELECT COALESCE(sum(used_instances + used_cores + used_ram_mib), 0)::int FROM project_quotas) AS "of the quota",
       (SELECT sum(used_vcpus + used_memory_mib + used_disk_gib + server_count)::int FROM hosts) AS "of the hosts' room"`,
  )
  const records = Object.entries(counts!).flatMap(([what, count]) => (count === 0 ? [] : `${count} ${what} are left`))
  const onHosts = await Promise.all(
    world.hosts.map(async (host) => [
      ...host.hypervisor.guestsInTruth().map(({ incarnation }) => `a domain of incarnation ${incarnation} is left`),
      ...(await host.guestFiles()).map((name) => `the files ${name} are left`),
    ]),
  )
  return [...records, ...onHosts.flat(), ...(await whatIsPromisedAndNotSo(world))]
}

/** Every promise, held against the records and what the hosts say. */
async function whatIsPromisedAndNotSo(world: World): Promise<string[]> {
  const surveys = await Promise.all(world.hosts.map((host) => surveyOf(world, host.id)))
  const findings = await examine(world.database, surveys)
  return findings.map(({ promise, message }) => `promise ${promise}: ${message}`)
}

async function surveyOf(world: World, hostId: HostSurvey['hostId']): Promise<HostSurvey> {
  const answer = await world.post.ask(computeQueue(hostId), { kind: 'survey' }, answerWithinMs)
  assert(answer.ok, 'a host says what lies on it')
  const { servers, strays } = surveyAnswer.parse(answer.value)
  return { hostId, servers, strays }
}

async function stateOf(world: World, id: ServerId): Promise<ServerState> {
  const [row] = await world.database.query<ServerState>(
    `SELECT vm_state AS "vmState", task_state AS "taskState", wanted, power_state AS "powerState", host_id AS "hostId", incarnation,
       (SELECT state FROM operations o WHERE o.server_id = v.id ORDER BY started_at DESC LIMIT 1) AS operation
     FROM servers v WHERE id = $1`,
    [id],
  )
  return row!
}

function guestsOf(world: World, id: ServerId) {
  return world.hosts.flatMap((host) =>
    host.hypervisor
      .guestsInTruth()
      .filter((guest) => guest.serverId === id)
      .map(({ incarnation, running }) => ({ hostId: host.id as string, incarnation, running })),
  )
}

async function filesOf(world: World, id: ServerId): Promise<{ hostId: string; name: string }[]> {
  const all = await Promise.all(
    world.hosts.map(async (host) => (await host.guestFiles()).map((name) => ({ hostId: host.id as string, name }))),
  )
  return all.flat().filter(({ name }) => name.startsWith(id))
}
