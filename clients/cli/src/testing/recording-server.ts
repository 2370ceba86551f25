import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Recorded {
  method: string
  /** Path with its query. */
  path: string
  headers: http.IncomingHttpHeaders
  body: string
  json(): any
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON, text and bytes as they are. */
  body?: unknown
  /** Break the connection after the body. */
  breakOff?: boolean
}

export type Handler = (request: Recorded, match: RegExpExecArray) => Answer | Promise<Answer> | 'hang up'

interface Route {
  method: string
  path: RegExp
  handler: Handler
}

/** An HTTP server that remembers every request, and answers as its routes say. */
export abstract class RecordingServer {
  readonly requests: Recorded[] = []
  /** The newest first. */
  private readonly routes: Route[] = []
  private readonly http = http.createServer((request, response) => void this.serve(request, response))
  url = ''

  /** What is answered in the place of the route, if anything. */
  protected abstract refuse(request: Recorded): Answer | undefined

  protected async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  /** Gives requests an answer, be it in the place of one that they had. */
  on(method: string, path: RegExp, handler: Handler): void {
    this.routes.unshift({ method, path, handler })
  }

  /** Requests of one kind that came so far. */
  sent(method: string, path: RegExp): Recorded[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path))
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const route = this.routes.find(({ method, path: pattern }) => method === request.method && pattern.test(path))
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const body = Buffer.concat(chunks).toString('latin1')
    const recorded: Recorded = {
      method: request.method!,
      path,
      headers: request.headers,
      body,
      json: () => JSON.parse(Buffer.concat(chunks).toString('utf8')),
    }
    this.requests.push(recorded)
    const answer = await this.answer(recorded, route)
    if (answer === 'hang up') return void request.socket.destroy()
    const bytes =
      answer.body === undefined
        ? ''
        : typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
          ? answer.body
          : JSON.stringify(answer.body)
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      'x-openstack-request-id': 'req-11111111-2222-3333-4444-555555555555',
      ...answer.headers,
    })
    if (answer.breakOff) response.write(bytes, () => request.socket.destroy())
    else response.end(bytes)
  }

  private answer(request: Recorded, route: Route | undefined): Answer | Promise<Answer> | 'hang up' {
    const refusal = this.refuse(request)
    if (refusal) return refusal
    if (!route) return { status: 404, body: { itemNotFound: { code: 404, message: 'The resource could not be found.' } } }
    return route.handler(request, route.path.exec(request.path)!)
  }
}
