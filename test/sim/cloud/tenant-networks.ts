import { InterfacesService } from '@nubo/api/dist/compute/servers/interfaces/interfaces.service.js'
import type { RequestedNetworks } from '@nubo/api/dist/compute/servers/interfaces/requested-networks.js'
import type { ServersService } from '@nubo/api/dist/compute/servers/servers.service.js'
import type { ApiConfiguration } from '@nubo/api/dist/configuration.js'
import { FloatingIpsService } from '@nubo/api/dist/network/floating-ips/floating-ips.service.js'
import { NetworksService } from '@nubo/api/dist/network/networks/networks.service.js'
import { PortsService } from '@nubo/api/dist/network/ports/ports.service.js'
import { RouterInterfacesService } from '@nubo/api/dist/network/routers/router-interfaces.service.js'
import { RoutersService } from '@nubo/api/dist/network/routers/routers.service.js'
import { SubnetsService } from '@nubo/api/dist/network/subnets/subnets.service.js'
import type { Caller } from '@nubo/auth'
import { Once } from '@nubo/database'
import type { RequestId } from '@nubo/kernel'
import type { Chance } from '../core/chance.js'
import type { World } from '../core/world.js'
import type { Footing } from './control-plane.js'

/** The use cases of the network API, and of servers' interfaces. */
export class NetworkApi {
  readonly networks: NetworksService
  readonly subnets: SubnetsService
  readonly ports: PortsService
  readonly routers: RoutersService
  readonly routerInterfaces: RouterInterfacesService
  readonly floatingIps: FloatingIpsService
  readonly interfaces: InterfacesService

  constructor({ database, store, engine, caster, random }: Footing, requested: RequestedNetworks, servers: ServersService) {
    this.networks = new NetworksService(database, random, { networks: { underlayMtu: 1_550 } } as ApiConfiguration)
    this.subnets = new SubnetsService(database, random)
    this.ports = new PortsService(database, random, engine, caster)
    this.routers = new RoutersService(database, random)
    this.routerInterfaces = new RouterInterfacesService(this.routers, random)
    this.floatingIps = new FloatingIpsService(database, random)
    this.interfaces = new InterfacesService(database, store, engine, caster, random, requested, servers)
  }
}

interface Creating {
  create: (by: Caller, wanted: readonly never[], once: never) => Promise<{ id: string }[]>
}

/** What a server may be made with: as a request names it. */
export type RequestedInterfaces = 'none' | { uuid: string }[] | { port: string }[]

/** Carries out one request in the name of the tenant, and notes what came of it. */
export type Ask = (what: string, work: (api: NetworkApi, requestId: RequestId) => Promise<unknown>) => Promise<unknown>

type Action = 'attach' | 'detach' | 'makePort' | 'deletePort' | 'float' | 'lead' | 'deleteFloating' | 'turnRouter'

const actions: readonly Action[] = [
  'attach',
  'attach',
  'detach',
  'makePort',
  'deletePort',
  'float',
  'lead',
  'deleteFloating',
  'turnRouter',
]

const portsOf = {
  /** The tenant's own, that nothing uses. */
  free: `p.server_id IS NULL AND p.device_owner = ''`,
  plugged: 'p.server_id IS NOT NULL',
  /** Those that a tenant may delete: its own, used or not, and those that were made for its servers. */
  any: `(p.server_id IS NOT NULL OR p.device_owner = '')`,
} as const

/** A tenant with a network behind a router, and with addresses that are few: what is given back is soon given again. */
export class TenantNetworks {
  private inside = ''
  private outside = ''
  private router = ''
  private subnet = ''

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
    private readonly caller: Caller,
    private readonly ask: Ask,
  ) {}

  get isBuilt(): boolean {
    return this.router !== ''
  }

  /** Before anything goes wrong. */
  async build(api: NetworkApi): Promise<void> {
    const { caller, world } = this
    const operator: Caller = { ...caller, roles: ['admin', 'manager', 'member', 'reader'] }
    const make = async (service: Creating, by: Caller, wanted: unknown) => {
      const [made] = await service.create(by, [wanted as never], Once.unkeyed as never)
      return made!.id
    }
    this.outside = await make(api.networks, operator, { name: 'outside', 'router:external': true })
    await make(api.subnets, operator, {
      ...{ network_id: this.outside, ip_version: 4, cidr: '192.0.2.0/24', enable_dhcp: false },
      allocation_pools: [{ start: '192.0.2.10', end: `192.0.2.${this.chance.whole(11, 13)}` }],
    })
    this.inside = await make(api.networks, caller, { name: 'inside' })
    this.subnet = await make(api.subnets, caller, {
      ...{ network_id: this.inside, ip_version: 4, cidr: '10.0.0.0/24' },
      allocation_pools: [{ start: '10.0.0.10', end: `10.0.0.${this.chance.whole(12, 18)}` }],
    })
    this.router = await make(api.routers, caller, { external_gateway_info: { network_id: this.outside } })
    await api.routerInterfaces.add(caller, this.router, { subnet_id: this.subnet })
    for (const network of ['outside', 'inside'] as const) world.trace.name(this[network], network)
    world.trace.name(this.router, 'router')
  }

  /** What the next servers are to be connected to. */
  wanted(count: number): RequestedInterfaces {
    if (!this.isBuilt || this.chance.happens(0.1)) return 'none'
    const port = count === 1 && this.chance.happens(0.2) ? this.pickPort('free') : undefined
    return port === undefined ? [{ uuid: this.inside }] : [{ port }]
  }

  /** One request, chosen by chance. */
  act(servers: readonly string[]): void {
    void this[this.chance.pick(actions)](servers)
  }

  /** Everything but what `build` made, and what goes with servers. */
  async deleteAll(): Promise<void> {
    for (const id of this.read(`SELECT id FROM floating_ips ORDER BY id`)) await this.deleteFloatingIp(id)
    for (const id of this.read(`SELECT p.id FROM ports p WHERE p.gone_at IS NULL AND ${portsOf.any} ORDER BY p.id`))
      await this.deleteOnePort(id)
  }

  private async attach(servers: readonly string[]): Promise<void> {
    const server = this.chance.pick(servers)
    if (!server) return
    const port = this.chance.happens(0.4) ? this.pickPort('free') : undefined
    const wish = port === undefined ? { net_id: this.inside } : { port_id: port }
    await this.ask(`attach ${port ?? 'a new port'} to ${server}`, (api, requestId) =>
      api.interfaces.attach(this.caller, server, wish, { requestId, once: Once.unkeyed }),
    )
  }

  private async detach(): Promise<void> {
    const port = this.pickPort('plugged')
    if (port === undefined) return
    const [server] = this.read('SELECT server_id AS id FROM ports WHERE id = $1', port)
    await this.ask(`detach ${port} from ${server}`, (api, requestId) =>
      api.interfaces.detach(this.caller, server!, port, requestId),
    )
  }

  private async makePort(): Promise<void> {
    await this.ask('make a port', async (api) => {
      const [made] = await api.ports.create(this.caller, [{ network_id: this.inside }], Once.unkeyed)
      return this.world.trace.name(made!.id, 'port')
    })
  }

  private async deletePort(): Promise<void> {
    const port = this.pickPort('any')
    if (port !== undefined) await this.deleteOnePort(port)
  }

  private async deleteOnePort(id: string): Promise<void> {
    await this.ask(`delete port ${id}`, (api) => api.ports.delete(this.caller, id))
  }

  /** A floating IP, that leads to a port or waits for one. */
  private async float(): Promise<void> {
    const port_id = this.chance.happens(0.7) ? this.pickPort('plugged') : undefined
    const wanted = { floating_network_id: this.outside, ...(port_id !== undefined && { port_id }) }
    await this.ask(`a floating IP for ${port_id}`, async (api) => {
      const [made] = await api.floatingIps.create(this.caller, [wanted], Once.unkeyed)
      return this.world.trace.name(made!.id, 'floating')
    })
  }

  /** Elsewhere, or nowhere. */
  private async lead(): Promise<void> {
    const id = this.pickFloatingIp()
    if (id === undefined) return
    const port_id = this.pickPort('plugged') ?? null
    await this.ask(`lead ${id} to ${port_id}`, (api) => api.floatingIps.update(this.caller, id, { port_id }))
  }

  private async deleteFloating(): Promise<void> {
    const id = this.pickFloatingIp()
    if (id !== undefined) await this.deleteFloatingIp(id)
  }

  private async deleteFloatingIp(id: string): Promise<void> {
    await this.ask(`delete ${id}`, (api) => api.floatingIps.delete(this.caller, id))
  }

  /** Takes the router out of the network, or puts it back. */
  private async turnRouter(): Promise<void> {
    const { caller, router, subnet } = this
    const [isThere] = this.read(
      `SELECT p.id FROM ports p WHERE p.device_id = $1 AND p.device_owner = 'network:router_interface' AND p.gone_at IS NULL`,
      router,
    )
    const turn = isThere ? 'remove' : 'add'
    await this.ask(`${turn} the router's interface`, (api) => api.routerInterfaces[turn](caller, router, { subnet_id: subnet }))
  }

  private pickPort(kind: keyof typeof portsOf): string | undefined {
    return this.chance.pick(this.read(`SELECT p.id FROM ports p WHERE p.gone_at IS NULL AND ${portsOf[kind]} ORDER BY p.id`))
  }

  private pickFloatingIp(): string | undefined {
    return this.chance.pick(this.read('SELECT id FROM floating_ips ORDER BY id'))
  }

  private read(statement: string, ...values: unknown[]): string[] {
    const { engine, simulation } = this.world
    return engine.look<{ id: string }>(statement, values, simulation.nowMs).map(({ id }) => id)
  }
}
