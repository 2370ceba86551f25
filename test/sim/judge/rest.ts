import type { Finding } from '@nubo/database'
import type { ServerId } from '@nubo/kernel'
import type { Cloud } from '../cloud/cloud.js'
import { BrokenPromise } from './broken-promise.js'
import { checkNetworksAtRest, checkNetworksGone, checkNetworksRest } from './networks.js'

const countLive = `SELECT count(*)::int AS live FROM operations WHERE state IN ('running', 'unwinding')`

/** Throws BrokenPromise while something is under way: an operation, a message, or what a host has still to tell. */
export function checkRest(cloud: Cloud): void {
  const { hosts, tenant, world } = cloud
  if (tenant.isWaiting) throw new BrokenPromise('everything comes to rest', 'a tenant waits for an answer')
  const busy = hosts.find((host) => !host.isAtRest)
  if (busy) throw new BrokenPromise('everything comes to rest', `${busy.name} has something to tell`)
  if (world.redis.inFlight > 0) throw new BrokenPromise('everything comes to rest', 'a message is on its way')
  const [row] = world.engine.run<{ live: number }>(countLive, [], world.simulation.nowMs).rows
  if (row!.live > 0) throw new BrokenPromise('everything comes to rest', `${row!.live} operations are under way`)
  checkNetworksRest(cloud)
}

export interface ServerAtRest {
  id: ServerId
  vmState: string
  wanted: string
  powerState: number
  hostId: string | null
  incarnation: number
}

const selectServers = `SELECT id, vm_state AS "vmState", wanted, power_state AS "powerState", host_id AS "hostId", incarnation FROM servers ORDER BY id`

/** What must be so when all is well and nothing is under way. */
export function checkAtRest(cloud: Cloud): void {
  const servers = new Map(readServers(cloud).map((server) => [server.id, server]))
  for (const id of cloud.tenant.accepted) {
    const server = servers.get(id)
    if (!server) throw new BrokenPromise('an accepted request is not lost', `${id} is not there`)
    if (cloud.tenant.deleted.has(server.id) && server.vmState !== 'deleted') {
      throw new BrokenPromise('what was to be deleted is deleted', `${id} is ${server.vmState}`)
    }
  }
  for (const server of servers.values()) checkGuest(cloud, server)
  checkStrays(cloud, servers)
  checkNetworksAtRest(cloud)
}

const readObserved = `SELECT server_id AS "serverId" FROM operations WHERE kind = 'server.observed-start'`

/**
 * Throws BrokenPromise for a guest that was found running while its server was stopped: none starts by itself. Not where a start
 * may have been given up at its deadline, and carried out all the same.
 */
export function checkStarted({ world }: Cloud): void {
  if (world.isHasty) return
  const [found] = world.engine.run<{ serverId: ServerId }>(readObserved, [], world.simulation.nowMs).rows
  if (found) throw new BrokenPromise('no server starts that nobody started', found.serverId)
}

const countMade = `SELECT count(*)::int AS made FROM operations WHERE kind = 'server.create' AND request_id LIKE $1`

/** However often a request with a key was repeated, it made what was asked for once. */
export function checkKeys({ world, tenant }: Cloud): void {
  for (const [key, count] of tenant.keyed) {
    const [row] = world.engine.run<{ made: number }>(countMade, [`${key}:%`], world.simulation.nowMs).rows
    if (row!.made > count) throw new BrokenPromise('one key makes one thing', `${key} made ${row!.made} servers of ${count}`)
  }
}

/** Of a server that is said to be here, the guest is there, as the record says. */
function checkGuest({ hosts }: Cloud, server: ServerAtRest): void {
  if (server.vmState !== 'active' && server.vmState !== 'stopped') return
  const guests = hosts
    .filter((host) => host.id === server.hostId)
    .flatMap((host) => host.hypervisor.guestsInTruth())
    .filter((guest) => guest.serverId === server.id)
  const [guest] = guests
  const what = `${server.id} is ${server.vmState}, incarnation ${server.incarnation}`
  if (!guest) throw new BrokenPromise('no guest is lost', `${what}; its host has none`)
  if (guest.incarnation !== server.incarnation)
    throw new BrokenPromise('a guest is of the incarnation that is recorded', `${what}; its guest is ${guest.incarnation}`)
  if (guest.running !== (server.vmState === 'active'))
    throw new BrokenPromise('a record says what is', `${what}; its guest is ${guest.running ? 'running' : 'off'}`)
}

const readForgotten = `
  SELECT s.name, o.server_id AS "serverId" FROM operation_steps s JOIN operations o ON o.id = s.operation_id
  WHERE s.state = 'open' AND s.next_hint_at < clock_timestamp() - interval '1 minute'`

/** Throws BrokenPromise for a step that is due, and that nobody is told of. Not for while those who tell may be away. */
export function checkHints({ world }: Cloud): void {
  const [step] = world.engine.run<{ name: string; serverId: ServerId }>(readForgotten, [], world.simulation.nowMs).rows
  if (step)
    throw new BrokenPromise('what is under way is asked for again', `${step.name} of ${step.serverId} is due, and forgotten`)
}

const readSwept = `
  SELECT s.name, o.server_id AS "serverId" FROM operation_steps s JOIN operations o ON o.id = s.operation_id
  WHERE s.hints > 0 AND s.name <> 'place'`

/** Throws BrokenPromise for a step that a host heard of only when it was asked for again: where nothing goes wrong none is. */
export function checkCalm({ world }: Cloud): void {
  const [step] = world.engine.run<{ name: string; serverId: ServerId }>(readSwept, [], world.simulation.nowMs).rows
  if (step) throw new BrokenPromise('whoever opens a step tells of it', `${step.name} of ${step.serverId} waited for the sweeper`)
}

/** Throws BrokenPromise for what `nubo doctor` finds. */
export function checkFindings([first]: readonly Finding[]): void {
  if (first) throw new BrokenPromise(`promise ${first.promise}, as the doctor has it (${first.code})`, first.message)
}

/** What lies on a host without a record that holds it there. */
function checkStrays({ hosts }: Cloud, servers: ReadonlyMap<string, ServerAtRest>): void {
  for (const host of hosts) {
    for (const { serverId, incarnation } of host.hypervisor.guestsInTruth()) {
      const server = servers.get(serverId)
      if (server?.hostId === host.id && server.incarnation === incarnation) continue
      throw new BrokenPromise(
        'nothing lies on a host that no record holds',
        `${serverId}, incarnation ${incarnation}, on ${host.name}`,
      )
    }
  }
}

/** After everything was deleted: no room, no quota, no guest, no file, no port. */
export function checkNothingLeft(cloud: Cloud): void {
  const { world, hosts } = cloud
  checkNetworksGone(cloud)
  const left = readServers(cloud).find((server) => server.vmState !== 'deleted')
  if (left) throw new BrokenPromise('deleting frees everything', `${left.id} is ${left.vmState}`)
  const [used] = world.engine.run<{ count: number }>(
    `SELECT (SELECT count(*) FROM allocations) + (SELECT sum(used_instances) FROM project_quotas) AS count`,
    [],
    world.simulation.nowMs,
  ).rows
  if (Number(used!.count) !== 0) throw new BrokenPromise('deleting frees everything', `${used!.count} are held`)
  for (const host of hosts) {
    const [guest] = host.hypervisor.guestsInTruth()
    if (guest) throw new BrokenPromise('deleting frees everything', `${guest.serverId} is on ${host.name}`)
    const [file] = host.disk.below('/host/guests')
    if (file) throw new BrokenPromise('deleting frees everything', `${file} lies on ${host.name}`)
  }
}

export function readServers({ world }: Cloud): ServerAtRest[] {
  return world.engine.run<ServerAtRest>(selectServers, [], world.simulation.nowMs).rows
}
