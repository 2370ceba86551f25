import { CommandError, exitCode } from '../exit.js'
import { looksLikeId, pick } from './names.js'
import { fetchAll, withQuery } from './pages.js'
import { readJson, type Session } from './session.js'

/** A kind of thing that the network service keeps, as its paths, its bodies and its users call it. */
export interface NetworkKind<Item extends NetworkItem = NetworkItem> {
  /** The key of one in a body: 'security_group'. */
  singular: string
  /** The key of many in a body. */
  plural: string
  /** Beneath /v2.0: 'security-groups'. */
  path: string
  /** For a person: 'security group'. */
  words: string
  /** The attribute that a person calls one by, beside its id; rules have none. */
  nameKey?: keyof Item & string
}

export interface NetworkItem {
  id: string
}

type Query = Record<string, string | undefined>

/** What a person calls it; undefined where it has no name. */
export function nameOf<Item extends NetworkItem>(kind: NetworkKind<Item>, item: Item): string | undefined {
  return kind.nameKey && (item[kind.nameKey] as string | undefined)
}

/** The Network API v2.0 of any OpenStack: the same five verbs for everything that it keeps. */
export class NetworkService {
  constructor(private readonly session: Session) {}

  async list<Item extends NetworkItem>(kind: NetworkKind<Item>, query: Query = {}): Promise<Item[]> {
    const url = withQuery(await this.url(kind.path), query)
    return await fetchAll<Item>(this.session, { url, key: kind.plural, doing: `Listing the ${kind.words}s` })
  }

  /** By id, or by name where one alone has it. */
  async find<Item extends NetworkItem>(kind: NetworkKind<Item>, wanted: string): Promise<Item> {
    const filter = looksLikeId(wanted) || !kind.nameKey ? { id: wanted } : { [kind.nameKey]: wanted }
    return pick(kind.words, wanted, await this.list(kind, filter), (item) => nameOf(kind, item))
  }

  async create<Item extends NetworkItem>(kind: NetworkKind<Item>, wanted: Record<string, unknown>): Promise<Item> {
    const body = await this.send('POST', kind.path, `Creating the ${kind.words}`, { [kind.singular]: wanted })
    return body[kind.singular] as Item
  }

  async update<Item extends NetworkItem>(kind: NetworkKind<Item>, id: string, changes: Record<string, unknown>): Promise<Item> {
    const body = await this.send('PUT', `${kind.path}/${id}`, `Changing the ${kind.words}`, { [kind.singular]: changes })
    return body[kind.singular] as Item
  }

  async remove(kind: NetworkKind<never>, id: string): Promise<void> {
    const url = await this.url(`${kind.path}/${id}`)
    await this.session.request({ method: 'DELETE', url }, `Deleting the ${kind.words}`)
  }

  /** Something that is done to one of them, beneath its own path. */
  async act(kind: NetworkKind<never>, id: string, action: string, body: Record<string, unknown>): Promise<void> {
    await this.send('PUT', `${kind.path}/${id}/${action}`, `Changing the ${kind.words}`, body)
  }

  private async send(method: 'POST' | 'PUT', path: string, doing: string, json: unknown): Promise<Record<string, unknown>> {
    const url = await this.url(path)
    return await readJson(await this.session.request({ method, url, json }, doing), url)
  }

  private async url(path: string): Promise<string> {
    const endpoint = await this.session.findEndpoint('network')
    if (endpoint === undefined) throw new CommandError(exitCode.cloudError, 'This cloud has no network service')
    return `${endpoint.replace(/\/v2\.0$/, '')}/v2.0/${path}`
  }
}
