import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CommandError, exitCode, LostAnswer } from '../exit.js'
import { readNamedFile } from '../files.js'
import { redactBody, redactHeaders } from './redaction.js'

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: string
  headers: Record<string, string>
  /** Text, or bytes that are streamed: with their length where it is known, chunked otherwise. */
  body?: string | { bytes: Readable; sizeBytes?: number | undefined } | undefined
  signal?: AbortSignal | undefined
}

export interface HttpResponse {
  status: number
  headers: http.IncomingHttpHeaders
  /** Reads the whole body as text; `bytes` must not have been touched. */
  text(): Promise<string>
  bytes: Readable
}

export interface TransportOptions {
  /** A file with the certificate authorities to trust in place of the system's. */
  certificateAuthorityFile?: string | undefined
  clientCertificateFile?: string | undefined
  clientKeyFile?: string | undefined
  /** False trusts any certificate. */
  verify: boolean
  /** How long a connection may be silent, in milliseconds. */
  silenceTimeoutMs: number
  environment: Readonly<Record<string, string | undefined>>
  /** Writes a line about each request and answer, with every secret taken out. */
  debug?: ((line: string) => void) | undefined
}

const redirects = new Set([301, 302, 303, 307, 308])
const mostRedirects = 5

/**
 * HTTP as the commands need it. Node's own `http` rather than `fetch`, because `fetch` cannot be told which certificate
 * authority to trust, and hides the answer of a server that refuses an upload before it has read all of it.
 */
export class Transport {
  private readonly agents = new Map<string, http.Agent>()

  constructor(private readonly options: TransportOptions) {}

  /** Closes the connections that are kept open for the next request. */
  close(): void {
    for (const agent of this.agents.values()) agent.destroy()
  }

  /** Made when first needed: certificates are read only for https. */
  private agentFor(secure: boolean, keepAlive: boolean): http.Agent {
    const key = `${secure} ${keepAlive}`
    const known = this.agents.get(key)
    if (known) return known
    // `proxyEnv` is known to Node from 24.5 on; older ones ignore it and connect directly.
    const settings = { keepAlive, proxyEnv: this.options.environment as NodeJS.ProcessEnv }
    const agent = secure ? new https.Agent({ ...settings, ...this.tls() }) : new http.Agent(settings)
    this.agents.set(key, agent)
    return agent
  }

  private tls(): https.AgentOptions {
    const { verify, certificateAuthorityFile, clientCertificateFile, clientKeyFile } = this.options
    return {
      rejectUnauthorized: verify,
      ...(certificateAuthorityFile && { ca: readNamedFile(certificateAuthorityFile, 'the certificate file') }),
      ...(clientCertificateFile && { cert: readNamedFile(clientCertificateFile, 'the certificate file') }),
      ...(clientKeyFile && { key: readNamedFile(clientKeyFile, 'the certificate file') }),
    }
  }

  /**
   * Sends one request and resolves with the answer's head, whatever its status. Redirects are followed for GET and HEAD;
   * the token does not go along to another host. Throws `CommandError` (unreachable, timeout) when no answer came.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    let current = request
    for (let followed = 0; ; followed += 1) {
      const response = await this.sendOnce(current)
      const location = response.headers.location
      const follows = request.method === 'GET' || request.method === 'HEAD'
      if (!follows || !redirects.has(response.status) || location === undefined) return response
      response.bytes.resume()
      if (followed === mostRedirects) throw new CommandError(exitCode.cloudError, `${request.url} redirects without end`)
      current = redirected(current, location)
    }
  }

  private async sendOnce(request: HttpRequest, retried = false): Promise<HttpResponse> {
    this.debugRequest(request)
    const startedMs = performance.now()
    try {
      const response = await this.exchange(request)
      return this.debugResponse(response, performance.now() - startedMs)
    } catch (error) {
      if (error instanceof StaleConnection && !retried) return this.sendOnce(request, true)
      const cause = error instanceof StaleConnection ? error.cause : error
      throw unreachable(request, cause as NodeJS.ErrnoException, this.options.silenceTimeoutMs)
    }
  }

  private exchange(request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const url = new URL(request.url)
      const secure = url.protocol === 'https:'
      // An idle connection may be closed by the cloud just as it is taken up again: no change of the cloud's state rides on one.
      const agent = this.agentFor(secure, request.method === 'GET')
      const outgoing = (secure ? https : http).request(url, {
        method: request.method,
        headers: { ...request.headers, ...bodyHeaders(request) },
        agent,
        signal: request.signal,
      })
      outgoing.setTimeout(this.options.silenceTimeoutMs, () => outgoing.destroy(new SilenceError()))
      let answered = false
      outgoing.on('response', (incoming) => {
        answered = true
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: () => readText(incoming, url.origin),
          bytes: incoming,
        })
      })
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (answered) return
        reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection(error) : error)
      })
      sendBody(outgoing, request.body, (error) => {
        // A server that refuses an upload answers and closes early: its answer, if it comes, says more than our broken pipe.
        if (!answered && !brokenPipe(error)) outgoing.destroy(error)
      })
    })
  }

  private debugRequest(request: HttpRequest): void {
    const { debug } = this.options
    if (!debug) return
    debug(`> ${request.method} ${request.url}`)
    for (const [name, value] of Object.entries(redactHeaders(request.headers))) debug(`>   ${name}: ${value}`)
    if (typeof request.body === 'string') debug(`>   ${redactBody(request.body)}`)
    else if (request.body) debug(`>   (${request.body.sizeBytes ?? 'an unknown number of'} bytes)`)
  }

  private debugResponse(response: HttpResponse, durationMs: number): HttpResponse {
    const { debug } = this.options
    if (!debug) return response
    debug(`< ${response.status} after ${durationMs.toFixed(0)} ms`)
    for (const [name, value] of Object.entries(redactHeaders(response.headers))) debug(`<   ${name}: ${value}`)
    return {
      ...response,
      text: async () => {
        const text = await response.text()
        if (text !== '') debug(`<   ${redactBody(text)}`)
        return text
      },
    }
  }
}

class SilenceError extends Error {}

class StaleConnection extends Error {
  constructor(override readonly cause: NodeJS.ErrnoException) {
    super(cause.message)
  }
}

function bodyHeaders(request: HttpRequest): Record<string, string> {
  if (request.body === undefined) return {}
  if (typeof request.body === 'string') return { 'content-length': String(Buffer.byteLength(request.body)) }
  return request.body.sizeBytes === undefined ? {} : { 'content-length': String(request.body.sizeBytes) }
}

function sendBody(outgoing: http.ClientRequest, body: HttpRequest['body'], failed: (error: NodeJS.ErrnoException) => void): void {
  if (body === undefined || typeof body === 'string') outgoing.end(body)
  else pipeline(body.bytes, outgoing).catch(failed)
}

function brokenPipe(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

async function readText(bytes: Readable, origin: string): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of bytes) chunks.push(chunk as Buffer)
  } catch (cause) {
    if ((cause as Error).name === 'AbortError') throw cause
    throw new CommandError(exitCode.unreachable, `${origin} broke off in the middle of its answer`, { cause })
  }
  return Buffer.concat(chunks).toString('utf8')
}

function redirected(request: HttpRequest, location: string): HttpRequest {
  const url = new URL(location, request.url)
  const headers = { ...request.headers }
  if (url.origin !== new URL(request.url).origin) delete headers['x-auth-token']
  return { ...request, url: url.href, headers }
}

const certificateProblems = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|UNABLE_TO_GET_ISSUER/

function unreachable(request: HttpRequest, error: NodeJS.ErrnoException, silenceTimeoutMs: number): Error {
  if (error instanceof CommandError || error.name === 'AbortError') return error
  const { origin } = new URL(request.url)
  const outcome = request.method === 'GET' || request.method === 'HEAD' ? '' : '; whether it was carried out is not known'
  if (error instanceof SilenceError) {
    return new CommandError(exitCode.timeout, `${origin} did not answer within ${silenceTimeoutMs / 1000} s${outcome}`, {
      cause: error,
    })
  }
  const code = error.code ?? ''
  if (certificateProblems.test(code)) {
    return new CommandError(
      exitCode.unreachable,
      `The certificate of ${origin} cannot be trusted (${error.message}); name its authority with --os-cacert FILE or OS_CACERT`,
      { cause: error },
    )
  }
  const refused = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
  const message = `Cannot reach ${origin}: ${describe(error)}`
  if (refused || outcome === '') return new CommandError(exitCode.unreachable, message, { cause: error })
  return new LostAnswer(message + outcome, error)
}

/** Node's message where there is one: several addresses that all refuse come as an error with none. */
function describe(error: NodeJS.ErrnoException): string {
  if (error.message !== '') return error.message
  const first = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined
  return first?.message ?? error.code ?? 'the connection failed'
}
