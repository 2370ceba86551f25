import { Inject, Injectable } from '@nestjs/common'
import { isCloudAdmin, projectOf, type Caller } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import {
  findAvailableNetworks,
  findGroupsByName,
  findUsableNetworks,
  findUsablePorts,
  type Database,
  type NamedGroup,
  type Transaction,
  type UsableNetwork,
  type UsablePort,
} from '@nubo/database'
import { assertOneKind } from '@nubo/domain'
import { CloudError, type ErrorKind, type NetworkId, type ProjectId } from '@nubo/kernel'
import { isIP } from 'node:net'
import type { NewServerRequest } from '../servers.schemas.js'

/** An interface that a server is to have: a port of the tenant's own, or a new one on a network. */
export type WantedInterface = { tag: string | undefined } & ({ portId: string } | NewInterface)

interface NewInterface {
  networkId: NetworkId
  address: string | undefined
  /** As the network has it. */
  portSecurityEnabled: boolean
  /** It is another project's, and the caller's to use for as long as it is shared. */
  isBorrowed: boolean
}

/** What a request says of a server's interfaces, held against what is there. */
export interface WantedInterfaces {
  interfaces: readonly WantedInterface[]
  /** Of new ports; undefined: the project's default group. */
  groups: readonly string[] | undefined
}

interface Request {
  uuid?: string | undefined
  port?: string | undefined
  fixed_ip?: string | undefined
  tag?: string | undefined
}

const none: WantedInterfaces = { interfaces: [], groups: undefined }

/** Reads which interfaces a request wants, and refuses in Nova's words what cannot be (nova/network/neutron.py, validate_networks). */
@Injectable()
export class RequestedNetworks {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** `count`: how many servers the request makes, at the most. */
  async ofNewServers(caller: Caller, server: NewServerRequest, count: number): Promise<WantedInterfaces> {
    const projectId = projectOf(caller)
    const { networks } = server
    if (networks === 'none') {
      await this.findGroups(projectId, server)
      return none
    }
    const isOpen = networks === 'auto' || networks.length === 0
    const interfaces = isOpen
      ? await this.theOnlyNetwork(caller, { mustBe: networks === 'auto' })
      : await this.of(caller, networks, { count })
    return { interfaces, groups: await this.findGroups(projectId, server) }
  }

  /**
   * Throws `Invalid` and `Conflict` with Nova's messages; `missing`: what it is that something is not there; `projectId`: of the
   * servers.
   */
  async of(
    caller: Caller,
    asked: readonly Request[],
    {
      count = 1,
      missing = 'Invalid',
      projectId = projectOf(caller),
    }: { count?: number; missing?: ErrorKind; projectId?: string } = {},
  ): Promise<WantedInterface[]> {
    for (const each of asked) checkForm(each, count)
    const viewer = { projectId: projectOf(caller), seesAll: isCloudAdmin(caller) }
    const networks = await this.findNetworks(asked, viewer)
    const ports = await this.findPorts(asked, viewer)
    return asked.map(({ uuid, port, fixed_ip: address, tag }) => {
      if (port) return { portId: checkPort(port, ports.get(port), { missing, projectId }).id, tag }
      const network = checkNetwork(uuid!, networks.get(uuid!), viewer.seesAll, missing)
      if (address !== undefined && !network.own && !viewer.seesAll) throw addressesAreOthers(network.id)
      return { ...newInterface(network, viewer, address), tag }
    })
  }

  /**
   * Nova's own choice among the networks that are the project's or shared with it. Where there is none, who said nothing gets no
   * interface; who asked for 'auto' is refused, as by every cloud that does not make networks by itself.
   */
  private async theOnlyNetwork(caller: Caller, { mustBe }: { mustBe: boolean }): Promise<WantedInterface[]> {
    const projectId = projectOf(caller)
    const available = await findAvailableNetworks(this.database, projectId)
    if (available.length > 1)
      throw new CloudError('Conflict', 'Multiple possible networks found, use a Network ID to be more specific.')
    const [network] = available
    if (mustBe && !network?.adminStateUp) {
      const advice = `it has none that is up. Make one, or ask for networks 'none'.`
      throw new CloudError('Invalid', `Unable to automatically allocate a network for project ${projectId}: ${advice}`)
    }
    if (!network) return []
    const checked = checkNetwork(network.id, network, isCloudAdmin(caller), 'Invalid')
    return [{ ...newInterface(checked, { seesAll: isCloudAdmin(caller) }), tag: undefined }]
  }

  private async findNetworks(asked: readonly Request[], viewer: { projectId: string; seesAll: boolean }) {
    const ids = asked.flatMap(({ uuid, port }) => (uuid && !port ? uuid : []))
    const found = ids.length === 0 ? [] : await findUsableNetworks(this.database, ids, viewer)
    return new Map<string, UsableNetwork>(found.map((network) => [network.id, network]))
  }

  private async findPorts(asked: readonly Request[], viewer: { projectId: string; seesAll: boolean }) {
    const ids = asked.flatMap(({ port }) => port ?? [])
    const found = ids.length === 0 ? [] : await findUsablePorts(this.database, ids, viewer)
    return new Map<string, (typeof found)[number]>(found.map((port) => [port.id, port]))
  }

  /** Ids of the groups that the request names; undefined where it leaves them to the default. */
  private async findGroups(projectId: ProjectId, server: NewServerRequest): Promise<string[] | undefined> {
    const names = [...new Set((server.security_groups ?? []).map(({ name }) => name))]
    if (names.every((name) => name === 'default')) return undefined
    const found = await findGroupsByName(this.database, projectId, names)
    const groups = names.map((name) => theOne(name, found))
    assertOneKind(groups)
    return groups.map(({ id }) => id)
  }
}

/** The group of that name or id. */
export function theOne(name: string, groups: readonly NamedGroup[], missing: ErrorKind = 'Invalid'): NamedGroup {
  const matching = groups.filter((group) => group.id === name || group.name === name)
  if (matching.length === 0) throw new CloudError(missing, `Security group ${name} not found.`)
  if (matching.length > 1) {
    const message = `Multiple security groups found matching '${name}'. Use an ID to be more specific.`
    throw new CloudError('Conflict', message)
  }
  return matching[0]!
}

function checkForm({ uuid, port, fixed_ip: address }: Request, count: number): void {
  if (address !== undefined && isIP(address) === 0) throw new CloudError('Invalid', `Invalid fixed IP address (${address})`)
  if (port && address)
    throw new CloudError(
      'Invalid',
      `Specified Fixed IP '${address}' cannot be used with port '${port}': the two cannot be specified together.`,
    )
  if (!port && !uuid) throw new CloudError('Invalid', 'Bad networks format: network uuid is not in proper format (None)')
  if (count === 1) return
  if (port) {
    const why =
      'Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.'
    throw new CloudError('Invalid', `Failed to launch instances: ${why}`)
  }
  if (address)
    throw new CloudError('Invalid', 'Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.')
}

const newInterface = (
  { id, portSecurityEnabled, own }: UsableNetwork,
  { seesAll }: { seesAll: boolean },
  address?: string,
): NewInterface => ({ networkId: id, address, portSecurityEnabled, isBorrowed: !own && !seesAll })

/** Throws where one of these networks, which others shared with the project, is not there for it any more. */
export async function assertStillShared(tx: Transaction, networkIds: readonly string[], projectId: string): Promise<void> {
  const found = await findUsableNetworks(tx, networkIds, { projectId, seesAll: false })
  for (const id of networkIds)
    checkNetwork(
      id,
      found.find((network) => network.id === id),
      false,
      'Invalid',
    )
}

/** Whoever shares a network does not let others take its addresses by name: its gateway's, for one. */
const addressesAreOthers = (id: string) =>
  new CloudError('Forbidden', `It is not allowed to name an address of network ${id}, which is another project's`)

function checkNetwork(
  id: string,
  network: UsableNetwork | undefined,
  asAdministrator: boolean,
  missing: ErrorKind,
): UsableNetwork {
  if (!network) throw new CloudError(missing, `Network ${id} could not be found.`)
  if (network.external && !network.shared && !asAdministrator)
    throw new CloudError('Forbidden', `It is not allowed to create an interface on external network ${id}`)
  if (!network.hasSubnets) throw new CloudError('Invalid', `Network ${id} requires a subnet in order to boot instances on.`)
  return network
}

function checkPort(
  id: string,
  port: UsablePort | undefined,
  { missing, projectId }: { missing: ErrorKind; projectId: string },
): UsablePort {
  if (!port) throw new CloudError(missing, `Port id ${id} could not be found.`)
  // An administrator sees everybody's: what a server has of another project nobody of either could tell apart from its own.
  if (port.projectId !== projectId)
    throw new CloudError('Invalid', `Port ${id} not usable for instance: it belongs to another project than the instance.`)
  if (port.isUsed) throw portInUse(id)
  if (!port.hasAddresses) throw new CloudError('Invalid', `Port ${id} requires a FixedIP in order to be used.`)
  return port
}

export function portInUse(id: string): CloudError {
  return new CloudError('Conflict', `Port ${id} is still in use.`)
}
