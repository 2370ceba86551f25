import { CommandError, exitCode } from '../exit.js'
import type { Compute } from './compute.js'
import { refusal } from './errors.js'
import { fetchAll, withQuery } from './pages.js'
import { readJson } from './session.js'
import { nuboRoot } from './versions.js'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

interface NuboRequest {
  /** In the words of an error: 'Reading the placement decision'. */
  doing: string
  /** What a cloud that is no Nubo lacks: 'does not explain placements'. */
  without: string
}

/** What Nubo has beside OpenStack's APIs: `/nubo/v1`, on the host of the compute service. */
export class Nubo {
  constructor(private readonly compute: Compute) {}

  async get<Body>(path: string, request: NuboRequest): Promise<Body> {
    return await this.send<Body>('GET', path, request)
  }

  async post<Body>(path: string, json: unknown, request: NuboRequest): Promise<Body> {
    return await this.send<Body>('POST', path, request, json)
  }

  async put<Body>(path: string, json: unknown, request: NuboRequest): Promise<Body> {
    return await this.send<Body>('PUT', path, request, json)
  }

  async delete(path: string, request: NuboRequest): Promise<void> {
    const { response } = await this.answered('DELETE', path, request)
    response.bytes.resume()
  }

  async list<Item>(
    path: string,
    key: string,
    {
      query = {},
      limit,
      doing,
      without,
    }: NuboRequest & { query?: Record<string, string | number | undefined>; limit?: number | undefined },
  ): Promise<Item[]> {
    if (!(await this.isThere())) throw lacking(without)
    const url = withQuery((await this.root()) + path, query)
    return await fetchAll<Item>(this.compute.session, { url, key, limit, doing })
  }

  private async send<Body>(method: Method, path: string, request: NuboRequest, json?: unknown): Promise<Body> {
    const { response, url } = await this.answered(method, path, request, json)
    return await readJson<Body>(response, url)
  }

  /** Throws not-found with a message that tells a cloud that is no Nubo from one that has no such thing. */
  private async answered(method: Method, path: string, { doing, without }: NuboRequest, json?: unknown) {
    const url = (await this.root()) + path
    const response = await this.compute.session.send({ method, url, ...(json === undefined ? {} : { json }) })
    if (response.status < 300) return { response, url }
    const refused = await refusal(response, doing)
    if (response.status === 404 && !(await this.isThere())) throw lacking(without)
    throw refused
  }

  /** Whether this cloud is a Nubo. */
  private async isThere(): Promise<boolean> {
    const response = await this.compute.session.send({ method: 'GET', url: await this.root() })
    response.bytes.resume()
    return response.status < 300
  }

  private async root(): Promise<string> {
    return nuboRoot((await this.compute.api()).url)
  }
}

function lacking(without: string): CommandError {
  return new CommandError(exitCode.notFound, `This cloud ${without}: it has no /nubo/v1 beside its compute API`)
}
