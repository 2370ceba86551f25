import type { Answer, CloudClient } from '../../support/client.js'
import type { Answered, Ledger, RequestKind } from './ledger.js'

export interface ServerParts {
  imageRef: string
  flavorRef: string
  networks: 'none'
}

export interface Server {
  id: string
  name: string
  status: string
  'OS-EXT-STS:task_state': string | null
}

const actions: Record<Exclude<RequestKind, 'create' | 'delete'>, unknown> = {
  start: { 'os-start': null },
  stop: { 'os-stop': null },
  reboot: { reboot: { type: 'SOFT' } },
  'reboot-hard': { reboot: { type: 'HARD' } },
}

/** A tenant's requests on servers, each written down with its answer. */
export class Requests {
  constructor(
    private readonly client: CloudClient,
    private readonly ledger: Ledger,
  ) {}

  async create(name: string, parts: ServerParts): Promise<void> {
    type Created = { server?: { id: string } }
    await this.ask({ kind: 'create', name }, () =>
      this.client.compute<Created>('POST', '/servers', { server: { name, ...parts } }),
    )
  }

  async change(kind: Exclude<RequestKind, 'create'>, serverId: string): Promise<void> {
    await this.ask({ kind, serverId }, () =>
      kind === 'delete'
        ? this.client.compute('DELETE', `/servers/${serverId}`)
        : this.client.compute('POST', `/servers/${serverId}/action`, actions[kind]),
    )
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

  private async ask(
    about: { kind: RequestKind; serverId?: string; name?: string },
    send: () => Promise<Answer<{ server?: { id: string } }>>,
  ): Promise<void> {
    try {
      const { status, body, headers } = await send()
      const requestId = headers.get('x-openstack-request-id') ?? undefined
      const answered = meaningOf(status)
      const made = about.kind === 'create' && body.server ? { serverId: body.server.id } : {}
      this.ledger.add({
        ...about,
        ...made,
        answered,
        status,
        requestId,
        ...(answered !== 'accepted' && { words: JSON.stringify(body) }),
      })
    } catch (error) {
      const { message, cause } = error as Error
      const words = cause instanceof Error ? `${message}: ${cause.message}` : message
      // Where nobody listened the request was not made.
      const refused = (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'
      this.ledger.add({ ...about, answered: refused ? 'unavailable' : 'unknown', words })
    }
  }
}

function meaningOf(status: number): Answered {
  if (status < 300) return 'accepted'
  if (status === 503) return 'unavailable'
  // Gone meanwhile, in another state, over quota: honest answers all.
  if (status === 403 || status === 404 || status === 409 || status === 429) return 'refused'
  return 'broken'
}
