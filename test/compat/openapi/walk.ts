import type { Answer, CloudClient } from '../../support/client.js'
import type { Description } from './description.js'

export interface Asked {
  /** For the route's names: `{ id: '...' }`. */
  parameters?: Record<string, string>
  query?: string
  body?: unknown
  headers?: Record<string, string>
  /** Who asks, where it is not the administrator. */
  as?: CloudClient
  /** The version to ask in and to hold against, 2.`minor` or 3.`minor`; the newest where none is given. */
  minor?: number
}

export interface Api {
  description: Description
  client: CloudClient
  url: string
  newestMinor: number
  /** Headers that ask for a version; none for an API that has one alone. */
  versionHeaders?: (minor: number) => Record<string, string>
}

/** Sends requests to one API and holds what goes out and what comes back against its description. */
export class Walk {
  /** 'GET /v2.1/servers/:id', of every route that answered well. */
  readonly walked = new Set<string>()
  /** 'GET /v2.1/servers/:id answered /server/x must be string', with the versions in which it was seen. */
  readonly faults = new Map<string, number[]>()

  constructor(private readonly api: Api) {}

  /** The body of a good answer; throws where the answer is none. */
  async ask<T = Record<string, never>>(method: string, route: string, asked: Asked = {}): Promise<T> {
    const answer = await this.send<T>(method, route, asked)
    if (answer.status < 300) return answer.body
    throw new Error(`${method} ${route}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  /** As `ask`, but a version that does not have the route may say so. */
  async askIfThere(method: string, route: string, asked: Asked): Promise<void> {
    const answer = await this.send(method, route, asked)
    if (answer.status < 300 || answer.status === 404) return
    throw new Error(`${method} ${route} in 2.${asked.minor}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  private async send<T>(method: string, route: string, asked: Asked): Promise<Answer<T>> {
    const { description, client, url, newestMinor, versionHeaders } = this.api
    const { parameters = {}, query = '', body, minor = newestMinor } = asked
    const path = route.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(parameters[name]!))
    const answer = await (asked.as ?? client).call<T>(method, `${url}${path}${query}`, body, {
      ...versionHeaders?.(minor),
      ...asked.headers,
    })
    if (answer.status >= 300) return answer
    this.walked.add(`${method} ${route}`)
    if (body !== undefined) this.note(`${method} ${route} asked`, description.faultsOfRequest(method, route, body, minor), minor)
    const isEmpty = (answer.body as unknown) === ''
    if (!isEmpty) this.note(`${method} ${route} answered`, description.faultsOfAnswer(method, route, answer.body, minor), minor)
    return answer
  }

  private note(where: string, faults: readonly string[], minor: number): void {
    for (const fault of faults) {
      const seen = this.faults.get(`${where} ${fault}`)
      if (seen) seen.push(minor)
      else this.faults.set(`${where} ${fault}`, [minor])
    }
  }
}
