import { pick, seededRandom, systemClock, type Random } from '@nubo/kernel'
import type { CloudClient } from '../../support/client.js'
import type { Ledger, RequestKind } from './ledger.js'
import { Requests, type Server, type ServerParts } from './requests.js'

export interface LoadOptions {
  client: CloudClient
  ledger: Ledger
  parts: ServerParts
  /** Where servers get further interfaces. */
  networkId: string
  seed: number
  workers: number
  /** More servers than these are not kept at a time. */
  mostServers: number
  /** Between a worker's requests, on average. */
  pauseMs: number
}

type Wish = Exclude<RequestKind, 'create'>

/** What may be done to a server in each status, more often where it is named more often. */
const wishes: Record<string, readonly Wish[]> = {
  ACTIVE: ['stop', 'stop', 'reboot', 'reboot-hard', 'attach', 'attach', 'detach', 'delete'],
  SHUTOFF: ['start', 'start', 'attach', 'detach', 'delete'],
  ERROR: ['delete'],
  BUILD: ['delete'],
}
/** A deletion that overtakes a build is worth trying, but most builds should end. */
const overtakes = 0.15
/** Of servers, so many are not on the network. */
const unconnected = 0.25
/** A server has no more interfaces than these. */
const mostInterfaces = 4
/** Of creates, so many lose their first answer and are repeated. */
const lostAnswers = 0.2
/** Now and then something is asked for that does not fit: the answer must be an honest 409. */
const misfits = 0.05

/** Tenants at work: each worker asks for something, does not wait for its end, and goes on with another server. */
export class Load {
  private stopped = false
  private creates = 0
  private readonly requests: Requests

  constructor(private readonly options: LoadOptions) {
    this.requests = new Requests(options.client, options.ledger)
  }

  /** Settles after `stop`, when the last request was answered. */
  async run(): Promise<void> {
    const { workers, seed } = this.options
    await Promise.all(Array.from({ length: workers }, (_, index) => this.work(seededRandom(seed * 1_000 + index))))
  }

  stop(): void {
    this.stopped = true
  }

  private async work(random: Random): Promise<void> {
    while (!this.stopped) {
      await this.askForSomething(random)
      await systemClock.sleep(this.options.pauseMs * (0.5 + random.fraction()))
    }
  }

  private async askForSomething(random: Random): Promise<void> {
    const { ledger, mostServers, parts } = this.options
    const { live } = ledger
    const share = live.length / mostServers
    // The fewer there are, the more are made: the cloud fills and stays filled.
    if (random.fraction() > share + 0.2) {
      const asked = random.fraction() < unconnected ? { ...parts, networks: 'none' as const } : parts
      return await this.requests.create(`chaos-${++this.creates}`, asked, { lost: random.fraction() < lostAnswers })
    }
    if (live.length === 0) return
    const server = await this.requests.show(pick(random, live))
    const kind = server && choose(random, server)
    if (kind === 'attach' || kind === 'detach') await this.replug(random, kind, server!.id)
    else if (kind) await this.requests.change(kind, server!.id)
  }

  private async replug(random: Random, kind: 'attach' | 'detach', serverId: string): Promise<void> {
    const ports = await this.requests.interfaces(serverId)
    if (kind === 'attach' && ports.length < mostInterfaces) await this.requests.attach(serverId, this.options.networkId)
    if (kind === 'detach' && ports.length > 0) await this.requests.detach(serverId, pick(random, ports))
  }
}

function choose(random: Random, server: Server): Wish | undefined {
  if (random.fraction() < misfits) return pick(random, ['start', 'stop', 'reboot', 'reboot-hard', 'attach', 'detach'])
  const busy = server.status === 'BUILD' || server['OS-EXT-STS:task_state'] !== null
  if (busy) return random.fraction() < overtakes ? 'delete' : undefined
  return pick(random, wishes[server.status] ?? ['delete'])
}
