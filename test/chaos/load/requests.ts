import { systemClock } from '@nubo/kernel'
import type { Answer, CloudClient } from '../../support/client.js'
import type { Answered, Ledger, LedgerEntry, RequestKind } from './ledger.js'

export interface ServerParts {
  imageRef: string
  flavorRef: string
  networks: 'none' | { uuid: string }[]
}

export interface Server {
  id: string
  name: string
  status: string
  'OS-EXT-STS:task_state': string | null
}

type About = Pick<LedgerEntry, 'kind' | 'serverId' | 'name'>
type Created = { server?: { id: string } }
type Interfaces = { interfaceAttachments?: { port_id: string }[] }

/** What is done to a server as a whole, and needs no more words. */
export type Change = Exclude<RequestKind, 'create' | 'attach' | 'detach'>

const actions: Record<Exclude<Change, 'delete'>, unknown> = {
  start: { 'os-start': null },
  stop: { 'os-stop': null },
  reboot: { reboot: { type: 'SOFT' } },
  'reboot-hard': { reboot: { type: 'HARD' } },
}
const repetitions = 20
const repeatAfterMs = 1_000

/** A tenant's requests on servers, each written down with its answer. */
export class Requests {
  constructor(
    private readonly client: CloudClient,
    private readonly ledger: Ledger,
  ) {}

  /**
   * Asks for a server under an Idempotency-Key, and again while no answer comes: it is made once. `lost` drops the first
   * answer, as a broken connection does, so that it is asked for again in any case.
   */
  async create(name: string, parts: ServerParts, { lost }: { lost: boolean }): Promise<void> {
    const send = () =>
      this.client.compute<Created>('POST', '/servers', { server: { name, ...parts } }, { 'Idempotency-Key': `key-of-${name}` })
    if (lost) await send().catch(() => undefined)
    for (let tries = 1; ; tries++) {
      const answered = await this.ask({ kind: 'create', name }, send)
      if (answered !== 'unknown' || tries === repetitions) return
      await systemClock.sleep(repeatAfterMs)
    }
  }

  async change(kind: Change, serverId: string): Promise<void> {
    await this.ask({ kind, serverId }, () =>
      kind === 'delete'
        ? this.client.compute('DELETE', `/servers/${serverId}`)
        : this.client.compute('POST', `/servers/${serverId}/action`, actions[kind]),
    )
  }

  /** Plugs a new interface on this network into the server. */
  async attach(serverId: string, networkId: string): Promise<void> {
    const interfaceAttachment = { net_id: networkId }
    await this.ask({ kind: 'attach', serverId }, () =>
      this.client.compute('POST', `/servers/${serverId}/os-interface`, { interfaceAttachment }),
    )
  }

  async detach(serverId: string, portId: string): Promise<void> {
    await this.ask({ kind: 'detach', serverId }, () =>
      this.client.compute('DELETE', `/servers/${serverId}/os-interface/${portId}`),
    )
  }

  /** The ports of the server's interfaces; none where nobody answered. */
  async interfaces(serverId: string): Promise<string[]> {
    try {
      const { body } = await this.client.compute<Interfaces>('GET', `/servers/${serverId}/os-interface`)
      return (body.interfaceAttachments ?? []).map(({ port_id }) => port_id)
    } catch {
      return []
    }
  }

  /** The server as the API shows it; undefined where it is gone, or where nobody answered. */
  async show(serverId: string): Promise<Server | undefined> {
    try {
      const answer = await this.client.compute<{ server?: Server }>('GET', `/servers/${serverId}`)
      return answer.body.server
    } catch {
      return undefined
    }
  }

  private async ask(about: About, send: () => Promise<Answer<Created>>): Promise<Answered> {
    const entry = await send().then(
      (answer) => entryOf(about, answer),
      (error: Error) => entryOfNone(about, error),
    )
    this.ledger.add(entry)
    return entry.answered
  }
}

function entryOf(about: About, { status, body, headers }: Answer<Created>): Omit<LedgerEntry, 'at'> {
  const answered = meaningOf(status)
  return {
    ...about,
    ...{ answered, status, requestId: headers.get('x-openstack-request-id') ?? undefined },
    ...(about.kind === 'create' && body.server && { serverId: body.server.id }),
    ...(headers.has('idempotent-replayed') && { repeated: true }),
    ...(answered !== 'accepted' && { words: JSON.stringify(body) }),
  }
}

function entryOfNone(about: About, { message, cause }: Error): Omit<LedgerEntry, 'at'> {
  const words = cause instanceof Error ? `${message}: ${cause.message}` : message
  // Where nobody listened the request was not made.
  const nobodyListened = (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'
  return { ...about, answered: nobodyListened ? 'unavailable' : 'unknown', words }
}

function meaningOf(status: number): Answered {
  if (status < 300) return 'accepted'
  if (status === 503) return 'unavailable'
  // Gone meanwhile, in another state, over quota: honest answers all.
  if (status === 403 || status === 404 || status === 409 || status === 429) return 'refused'
  return 'broken'
}
