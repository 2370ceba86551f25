import type { Cloud } from '../cloud/cloud.js'
import type { SimulatedHost } from '../cloud/host.js'
import { BrokenPromise } from './broken-promise.js'
import type { Records } from './records.js'

/** Looks at what hosts' kernels carry: not at what is recorded of it. */
export class Carried {
  private readonly revisions = new Map<SimulatedHost, number>()

  constructor(
    private readonly cloud: Cloud,
    private readonly records: Records,
  ) {}

  /** To be called after every change of what is carried, or of the ports' records. Throws BrokenPromise. */
  check(): void {
    this.checkApart()
    for (const host of this.cloud.hosts) this.checkForward(host)
    this.checkHeld()
  }

  /** No router is on two hosts, and no address leads to two places. A guest counts while it runs behind a port that is carried. */
  private checkApart(): void {
    const routers = new Map<string, string>()
    const addresses = new Map<string, string>()
    for (const host of this.cloud.hosts) {
      for (const { routerId } of host.networks.inForce?.routers ?? []) {
        only(routers, routerId, host.name, 'a router is on one host at most')
      }
      for (const [address, owner] of addressesOn(host)) only(addresses, address, owner, 'an address is one port at a time')
    }
  }

  /** As long as its power is on a host carries no older plan than it did. */
  private checkForward(host: SimulatedHost): void {
    const revision = host.networks.inForce?.revision
    if (revision === undefined) return void this.revisions.delete(host)
    const before = this.revisions.get(host) ?? 0
    if (revision < before)
      throw new BrokenPromise('a host does not go back to an older plan', `${host.name} from ${before} to ${revision}`)
    this.revisions.set(host, revision)
  }

  /** What is carried is held, with its addresses, for the host that carries it: whoever deleted it. */
  private checkHeld(): void {
    const hostOf = new Map(this.records.of('ports').map(({ id, hostId }) => [id, hostId]))
    for (const host of this.cloud.hosts) {
      for (const portId of portsOn(host)) {
        if (hostOf.get(portId) !== host.id)
          throw new BrokenPromise('what a host carries is held for it', `${portId} is on ${host.name}, and not by its record`)
      }
    }
  }
}

/** The ports behind which something may speak: guests that run, and routers. */
function* portsOn({ hypervisor, networks }: SimulatedHost): Iterable<string> {
  const { ports = [], routers = [] } = networks.inForce ?? {}
  const plugged = pluggedIn(hypervisor)
  for (const { portId } of ports) if (plugged.has(portId)) yield portId
  for (const { gateway, interfaces } of routers) {
    if (gateway) yield gateway.portId
    for (const { portId } of interfaces) yield portId
  }
}

function pluggedIn(hypervisor: SimulatedHost['hypervisor']): ReadonlySet<string> {
  const running = hypervisor.guestsInTruth().filter((guest) => guest.running)
  return new Set(running.flatMap(({ nics }) => nics.map(({ portId }) => portId)))
}

function only(seen: Map<string, string>, what: string, where: string, promise: string): void {
  const other = seen.get(what)
  if (other !== undefined && other !== where) throw new BrokenPromise(promise, `${what}: ${other} and ${where}`)
  seen.set(what, where)
}

function* addressesOn({ hypervisor, networks }: SimulatedHost): Iterable<[address: string, owner: string]> {
  const { ports = [], routers = [] } = networks.inForce ?? {}
  const plugged = pluggedIn(hypervisor)
  for (const { portId, networkId, addresses } of ports) {
    if (plugged.has(portId)) for (const address of addresses) yield [`${networkId} ${address}`, portId]
  }
  for (const { routerId, gateway, interfaces, floatingIps } of routers) {
    for (const { portId, networkId, addresses } of gateway ? [gateway, ...interfaces] : interfaces) {
      for (const prefix of addresses) yield [`${networkId} ${prefix.split('/')[0]}`, portId]
    }
    for (const { address } of floatingIps) yield [`${gateway?.networkId} ${address}`, `${routerId} (floating)`]
  }
}

const readUnsettled = `
  SELECT (SELECT count(*) FROM network_changes)::int AS changes,
    (SELECT count(*) FROM host_networks WHERE next_hint_at IS NOT NULL OR applied < wanted)::int AS plans,
    (SELECT count(*) FROM ports WHERE gone_at IS NOT NULL)::int AS gone,
    (SELECT count(*) FROM routers WHERE left_host_id IS NOT NULL)::int AS leaving`

/** Throws BrokenPromise while a host has still to hear of its networks, or to let go of what is gone. */
export function checkNetworksRest({ world, tenant }: Cloud): void {
  if (!tenant.networks.isBuilt) return
  const [left] = world.engine.run<Record<string, number>>(readUnsettled, [], world.simulation.nowMs).rows
  for (const [what, count] of Object.entries(left!)) {
    if (count > 0) throw new BrokenPromise('hosts hear of their networks', `${count} ${what} are left`)
  }
}

interface PortAtRest {
  id: string
  serverId: string | null
  hostId: string | null
  status: string
  vmState: string | null
}

const readPorts = `
  SELECT p.id, p.server_id AS "serverId", p.host_id AS "hostId", p.status, v.vm_state AS "vmState"
  FROM ports p LEFT JOIN servers v ON v.id = p.server_id ORDER BY p.id`

const readRouters = `SELECT id, host_id AS "hostId" FROM routers WHERE host_id IS NOT NULL ORDER BY id`

/** What must be so when all is well and nothing is under way: hosts carry what is bound to them, guests have their ports. */
export function checkNetworksAtRest({ world, tenant, hosts }: Cloud): void {
  if (!tenant.networks.isBuilt) return
  const read = <Row>(statement: string): Row[] => world.engine.run<Row>(statement, [], world.simulation.nowMs).rows
  const ports = read<PortAtRest>(readPorts)
  const routers = read<{ id: string; hostId: string }>(readRouters)
  for (const host of hosts) {
    const { networks, name, id: hostId } = host
    const guests = ports.filter((port) => port.hostId === hostId && port.serverId !== null)
    isSame(
      `ports on ${name}`,
      guests,
      networks.inForce?.ports.map(({ portId }) => portId),
    )
    const living = routers.filter((router) => router.hostId === hostId)
    isSame(
      `routers on ${name}`,
      living,
      networks.inForce?.routers.map(({ routerId }) => routerId),
    )
    // What was given up at its deadline is the server's, and its guest's from the next start on.
    if (!world.isHasty) for (const guest of guests) checkPlugged(host, guest)
  }
}

function isSame(what: string, recorded: readonly { id: string }[], carried: readonly string[] = []): void {
  const [records, truth] = [recorded.map(({ id }) => id), carried].map((ids) => ids.toSorted().join(', '))
  if (records !== truth)
    throw new BrokenPromise('hosts carry what is bound to them', `${what}: ${records} recorded, ${truth} carried`)
}

function checkPlugged({ hypervisor, name }: SimulatedHost, { id, serverId, status, vmState }: PortAtRest): void {
  if (status !== 'ACTIVE') throw new BrokenPromise('a port that is carried is ACTIVE', `${id} on ${name} is ${status}`)
  const guest = hypervisor.guestsInTruth().find((each) => each.serverId === serverId)
  const isPlugged = guest?.nics.some(({ portId }) => portId === id)
  if (vmState === 'active' && !isPlugged)
    throw new BrokenPromise('a guest has its ports', `${serverId} on ${name} is without ${id}`)
}

const readLeft = `
  SELECT (SELECT count(*) FROM ports WHERE device_owner NOT LIKE 'network:%' OR gone_at IS NOT NULL)::int AS ports,
    (SELECT count(*) FROM floating_ips)::int AS "floating IPs",
    (SELECT count(*) FROM port_addresses a WHERE NOT EXISTS (SELECT FROM ports p WHERE p.id = a.port_id))::int AS addresses`

/** After everything was deleted but the networks themselves. */
export function checkNetworksGone({ world, tenant, hosts }: Cloud): void {
  if (!tenant.networks.isBuilt) return
  const [left] = world.engine.run<Record<string, number>>(readLeft, [], world.simulation.nowMs).rows
  for (const [what, count] of Object.entries(left!)) {
    if (count > 0) throw new BrokenPromise('deleting frees everything', `${count} ${what} are left`)
  }
  const carrier = hosts.find(({ networks }) => networks.inForce?.ports.length)
  if (carrier) throw new BrokenPromise('deleting frees everything', `${carrier.name} carries ports`)
}
