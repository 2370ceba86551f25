import { CreateServersService, type CreatedServers } from '@nubo/api/dist/compute/servers/create-servers.service.js'
import { RequestedNetworks } from '@nubo/api/dist/compute/servers/interfaces/requested-networks.js'
import { ServerPowerService } from '@nubo/api/dist/compute/servers/server-power.service.js'
import { ServersService } from '@nubo/api/dist/compute/servers/servers.service.js'
import type { Caller } from '@nubo/auth'
import { findKeptAnswer, Once, type Database } from '@nubo/database'
import { CloudError, type DomainId, type ProjectId, type RequestId, type ServerId, type UserId } from '@nubo/kernel'
import type { Chance } from '../core/chance.js'
import type { Process } from '../core/process.js'
import { wordsOf } from '../core/redis.js'
import type { World } from '../core/world.js'
import { footingOf } from './control-plane.js'
import { PowerHistory } from './power-history.js'
import { NetworkApi, TenantNetworks, type Ask, type RequestedInterfaces } from './tenant-networks.js'

export const projectId = 'project-1' as ProjectId

const caller: Caller = {
  userId: 'user-1' as UserId,
  userName: 'user',
  userDomainId: 'default' as DomainId,
  scope: { kind: 'project', projectId, projectName: 'project', projectDomainId: 'default' as DomainId },
  roles: ['member', 'reader'],
  methods: ['password'],
  auditId: 'audit',
  parentAuditId: undefined,
  issuedAtMs: 0,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
}

export const flavorId = 'small'
export const imageId = '1d8f3c52-7f3b-4f0e-9a55-0d6f0a1a2b3c'

const actions = ['delete', 'start', 'stop', 'rebootSoft', 'rebootHard'] as const

/** What a request for new servers says. */
interface Creation {
  count: number
  networks: RequestedInterfaces
}

/** The use cases of the API, in a process of their own. */
interface Api {
  process: Process
  database: Database
  creating: CreateServersService
  servers: ServersService
  network: NetworkApi
  power: ServerPowerService
  /** Requests that it has not answered yet: never, if it is killed before. */
  atHand: number
}

/** Asks the API for this and that, and remembers what it was promised. */
export class Tenant {
  /** Servers whose creation was accepted. */
  readonly accepted = new Set<ServerId>()
  /** Servers whose deletion was accepted. */
  readonly deleted = new Set<ServerId>()
  readonly power = new PowerHistory()
  /** How many servers each key was to make at the most. */
  readonly keyed = new Map<string, number>()
  /** Requests that will be repeated until they are answered. */
  private repeating = 0
  readonly networks: TenantNetworks
  private api: Api
  /** Most tenants do a few things only, again and again: what comes of them meets more often. */
  private readonly habits: readonly (typeof actions)[number][]
  private readonly growth: number
  /** To so many of its servers, the newest, it does what it does: what is done to one meets more often. */
  private readonly attention: number
  private requests = 0
  private keys = 0

  constructor(
    private readonly world: World,
    private readonly chance: Chance,
  ) {
    this.api = this.startApi()
    const ask: Ask = (what, work) => this.request(what, undefined, (requestId) => this.toldOf(work(this.api.network, requestId)))
    this.habits = chance.shuffled(actions).slice(0, chance.pick([2, 3, actions.length]))
    this.growth = chance.pick([0.1, 0.3, 0.5])
    this.attention = chance.pick([1, 1, Infinity])
    this.networks = new TenantNetworks(world, chance.fork(), caller, ask)
  }

  /** True while something is asked for that may still be carried out. */
  get isWaiting(): boolean {
    return this.repeating > 0 || this.api.atHand > 0
  }

  /** The API dies, and is there again. */
  restartApi(): void {
    this.world.trace.note('api', 'is killed')
    this.api.process.kill()
    this.power.confuse()
    this.api = this.startApi()
  }

  /** One request, chosen by chance; most of them concern what is there. */
  act(): void {
    const all = [...this.accepted].filter((id) => !this.deleted.has(id) || this.chance.happens(0.1))
    const known = all.slice(-this.attention)
    const kind = known.length === 0 || this.chance.happens(this.growth) ? 'create' : this.chance.pick(this.habits)
    if (this.networks.isBuilt && this.chance.happens(0.4)) this.networks.act(known)
    else if (kind === 'create') void this.create(this.chance.pick([1, 1, 1, 2, 3]))
    else if (kind === 'delete') void this.delete(this.chance.pick(known))
    else void this.powerOf(this.chance.pick(known), kind)
  }

  /** Wants none of its servers any more. */
  leave(): void {
    for (const id of this.accepted) if (!this.deleted.has(id)) void this.delete(id)
  }

  /** Makes its networks, before anything goes wrong. */
  async connect(): Promise<void> {
    await this.networks.build(this.api.network)
  }

  /** Half of all requests for new servers carry a key, and are repeated until they are answered. */
  private async create(count: number): Promise<void> {
    const wanted = { count, networks: this.networks.wanted(count) }
    if (this.chance.happens(0.5)) return void (await this.createOnce(wanted, undefined))
    const key = `key-${++this.keys}`
    this.keyed.set(key, count)
    this.repeating++
    for (let attempt = 1; attempt <= 4; attempt++) {
      // An API that was killed answers nobody; its caller lives on.
      if (await Promise.race([this.sendCreation(wanted, key), this.patience()])) break
      await this.later(10, 4_000)
    }
    this.repeating--
  }

  /** Now and then something on the way sends a request twice, and both arrive. */
  private async sendCreation(wanted: Creation, key: string): Promise<boolean> {
    if (this.chance.happens(0.7)) return await this.createOnce(wanted, key)
    const again = this.later(0, 10).then(() => this.createOnce(wanted, key))
    return (await Promise.all([this.createOnce(wanted, key), again])).includes(true)
  }

  private async patience(): Promise<boolean> {
    await this.later(3_000, 30_000)
    return false
  }

  private later(least: number, most: number): Promise<void> {
    return new Promise((resolve) => void this.world.simulation.after(this.chance.between(least, most), resolve))
  }

  /** True where it was answered, one way or the other. */
  private async createOnce({ count, networks }: Creation, key: string | undefined): Promise<boolean> {
    const server = { name: 'vm', imageRef: imageId, flavorRef: flavorId, min_count: 1, max_count: count, networks }
    return await this.request(`create ${count}${key ? ` with ${key}` : ''}`, key, async (requestId) => {
      const ids = await this.answered(key, async (once) => {
        const { servers } = await this.api.creating.create(caller, { server } as never, requestId, once)
        return servers.map(({ id }) => id)
      })
      for (const id of ids) this.accepted.add(id)
      return ids.map((id) => this.world.trace.name(id, 'server')).join(', ')
    })
  }

  /** As the API answers a request with a key: from what was answered before, or by carrying it out. */
  private async answered(key: string | undefined, carryOut: (once: Once<CreatedServers>) => Promise<ServerId[]>) {
    if (!key) return await carryOut(Once.unkeyed)
    const answerTo = (body: unknown) => ({ status: 202, location: null, body: body ?? null })
    const identity = {
      scope: 'project',
      userId: caller.userId,
      route: 'POST /servers',
      keyDigest: key,
      requestDigest: key,
      answerTo,
    }
    const kept = await findKeptAnswer(this.api.database, identity)
    if (kept) return kept.body as ServerId[]
    return await carryOut(new Once<CreatedServers>(identity, ({ servers }) => servers.map(({ id }) => id)))
  }

  async delete(id: ServerId): Promise<void> {
    await this.request(`delete ${id}`, undefined, async (requestId) => {
      await this.api.servers.delete(caller, id, requestId)
      this.deleted.add(id)
      return ''
    })
  }

  private async powerOf(id: ServerId, action: 'start' | 'stop' | 'rebootSoft' | 'rebootHard'): Promise<void> {
    // A reboot too: one that fails may leave it stopped.
    if (action !== 'start') this.power.mayStop(id)
    await this.request(`${action} ${id}`, undefined, async (requestId) => {
      if (action === 'start') this.power.startAsked(id, requestId)
      await this.api.power.power(caller, id, action, { requestId, once: Once.unkeyed })
      if (action === 'start') this.power.startPromised(id, requestId)
      return ''
    })
    if (action !== 'start') this.power.mayStop(id)
  }

  private async toldOf(work: Promise<unknown>): Promise<string> {
    const made = await work
    return typeof made === 'string' ? made : ''
  }

  /** False where the API could not say what came of it. */
  private async request(
    what: string,
    key: string | undefined,
    work: (requestId: RequestId) => Promise<string>,
  ): Promise<boolean> {
    const { trace } = this.world
    const requestId = `${key ?? 'req'}:${++this.requests}` as RequestId
    const { api } = this
    trace.note('tenant', `asks: ${what}`)
    api.atHand++
    try {
      const said = await work(requestId)
      trace.note('tenant', `was promised: ${what}${said && ` (${said})`}`)
      return true
    } catch (error) {
      trace.note('tenant', `was refused: ${what}: ${error instanceof CloudError ? error.kind : wordsOf(error)}`)
      return error instanceof CloudError && error.kind !== 'Unavailable' && error.details.retryAfterSeconds === undefined
    } finally {
      api.atHand--
    }
  }

  private startApi(): Api {
    const process = this.world.process('api')
    const footing = footingOf(this.world, process)
    const { database, store, engine, caster, queue, random } = footing
    const requested = new RequestedNetworks(database)
    const servers = new ServersService(database, store, engine, caster)
    return {
      process,
      atHand: 0,
      database,
      creating: new CreateServersService(database, queue, engine, random, this.world.loggerOf(process), requested),
      servers,
      network: new NetworkApi(footing, requested, servers),
      power: new ServerPowerService(database, store, engine, caster, queue, servers),
    }
  }
}
