import { longestGuestPassword } from '@nubo/contract'
import type { Applied, PortPlan } from '@nubo/host-network'
import { CloudError, type Clock, type PortId, type ProjectId, type Random } from '@nubo/kernel'
import { isUtf8 } from 'node:buffer'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Logger } from '@nubo/service-kit'
import type { GuestFiles } from '../guests/guest-files.js'
import { Allowances } from './allowance.js'
import { answerTo, isTop, topAnswer, type Answer } from './answer.js'
import { Callers, type Callable, type Identities } from './callers.js'
import type { Subject } from './guest-metadata.js'

export interface MetadataServerOptions {
  guests: Pick<GuestFiles, 'find' | 'metadataOf' | 'passwordOf' | 'setPassword'>
  clock: Clock
  random: Random
  logger: Logger
  identities?: Identities
  /** Told of each answer, for figures. */
  onAnswered?: (status: number, seconds: number) => void
}

const connectionsOfCaller = 16
/** Few enough that a tenant with many guests leaves places for those of others. */
const connectionsOfProject = 256
const connectionsAtMost = 1_024
const patience = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 }

/**
 * Tells the guests of this host about themselves. Who asks is said by the address that the call comes from, which the host's
 * network put on it at the caller's tap; nothing that a guest writes into its request says who it is.
 */
export class MetadataServer {
  private readonly server: Server
  private readonly allowances: Allowances
  private readonly callers: Callers
  private readonly connections = new Map<Socket, { identity: string; portId: PortId; projectId: ProjectId }>()

  constructor(private readonly options: MetadataServerOptions) {
    this.allowances = new Allowances(options.clock)
    this.callers = new Callers(options.identities)
    this.server = createServer(patience, (request, response) => void this.serve(request, response))
    this.server.maxConnections = connectionsAtMost
    this.server.on('connection', (socket: Socket) => this.onConnection(socket))
  }

  /**
   * Listens on all of the host's addresses: the host's filters let calls in from its networks' uplinks alone.
   * @returns the port, where 0 left the choice.
   * @throws `Unavailable` while the port is another's.
   */
  async listen(port: number): Promise<number> {
    this.server.listen(port, '::')
    try {
      await once(this.server, 'listening')
    } catch (error) {
      throw new CloudError('Unavailable', `Metadata cannot be served at port ${port}: ${(error as Error).message}`, {
        cause: error,
      })
    }
    return (this.server.address() as AddressInfo).port
  }

  /**
   * To be called before the plan comes into force: whoever gets an identity that another port had finds no conversation of
   * that one's, and nothing of it is still to be sent.
   */
  follow(plan: Callable): void {
    this.callers.follow(plan)
    for (const [socket, { identity, portId }] of this.connections) {
      if (this.callers.portOf(identity)?.portId !== portId) socket.resetAndDestroy()
    }
    this.allowances.keep(this.callers.portIds)
  }

  /** To be called when what was followed is in force, but for what is told. */
  settle({ trouble, troubled }: Applied): void {
    this.callers.settle((networkId) => trouble === undefined || troubled?.includes(networkId) === false)
  }

  async close(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    for (const socket of this.connections.keys()) socket.destroy()
    await closed
  }

  private onConnection(socket: Socket): void {
    const identity = identityOf(socket)
    const port = this.callers.portOf(identity)
    // Who is nobody of ours is not told that anybody is here.
    if (!port || this.holdsEnough(port)) return void socket.resetAndDestroy()
    this.connections.set(socket, { identity, portId: port.portId, projectId: port.projectId })
    socket.on('close', () => this.connections.delete(socket))
    socket.on('error', () => socket.destroy())
  }

  private holdsEnough({ portId, projectId }: PortPlan): boolean {
    const ofProject = [...this.connections.values()].filter((other) => other.projectId === projectId)
    const ofCaller = ofProject.filter((other) => other.portId === portId)
    return ofCaller.length >= connectionsOfCaller || ofProject.length >= connectionsOfProject
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, logger, onAnswered } = this.options
    const begun = clock.monotonicMs()
    try {
      await this.answer(request, response)
    } catch (error) {
      logger.error({ err: error, path: request.url }, 'metadata could not be answered')
      refuse(response, 500)
    }
    onAnswered?.(response.statusCode, (clock.monotonicMs() - begun) / 1_000)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const port = this.callers.portOf(identityOf(request.socket))
    if (!port) return void request.socket.resetAndDestroy()
    if (!this.allowances.take(port.portId)) return refuse(response, 429)
    const path = pathOf(request.url)
    if (path === undefined) return refuse(response, 400)
    if (isTop(path)) return send(response, topAnswer())
    const subject = await this.subjectOf(port)
    const answer = subject && answerTo(path, subject, this.options.random)
    if (!subject || !answer) return refuse(response, 404)
    if (answer === 'password') return await this.password(request, response, port)
    send(response, answer)
  }

  /** Undefined where the port's server is not on this host, or was made before its metadata were kept. */
  private async subjectOf(port: PortPlan): Promise<Subject | undefined> {
    const { guests } = this.options
    const record = guests.find(port.serverId)
    const metadata = record && (await guests.metadataOf(record))
    if (!record || !metadata) return undefined
    return {
      ...metadata,
      serverMetadata: port.serverMetadata,
      localIpv4: port.addresses.find((address) => !address.includes(':')) ?? '',
      publicIpv4: port.publicIpv4 ?? '',
      securityGroups: port.groups,
    }
  }

  /**
   * A guest sets it once, for its owner to read (Windows does, sealed with the owner's key), and again when the owner has cleared
   * it. An empty one is none, as with Nova.
   */
  private async password(request: IncomingMessage, response: ServerResponse, port: PortPlan): Promise<void> {
    const { guests } = this.options
    const { passwordClears: clears } = port
    const record = guests.find(port.serverId)
    if (!record) return refuse(response, 404)
    const known = guests.passwordOf(record)
    const isSet = known !== undefined && known.clears >= clears
    if (request.method === 'GET' || request.method === 'HEAD') return send(response, plain(isSet ? known.password : ''))
    if (request.method !== 'POST') return refuse(response, 400)
    if (isSet) return refuse(response, 409)
    const password = await bodyOf(request)
    if (password === undefined) return refuse(response, 400)
    if (password !== '' && !(await guests.setPassword(record, { password, clears }))) return refuse(response, 409)
    send(response, plain(''))
  }
}

const plain = (text: string): Answer => ({ contentType: 'text/plain; charset=UTF-8', body: Buffer.from(text) })

/** As the plan has it: an address of IPv4 that a socket of both families shows is without its prefix. */
const identityOf = ({ remoteAddress = '' }: Socket) => remoteAddress.replace(/^::ffff:/, '')

function pathOf(url = '/'): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0]!)
  } catch {
    return undefined
  }
}

/** Undefined where it is longer than may be, or not a text. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > longestGuestPassword) return undefined
    parts.push(part)
  }
  const body = Buffer.concat(parts)
  return isUtf8(body) && !body.includes(0) ? body.toString() : undefined
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer === 'password') throw new CloudError('Bug', 'a password is not sent as a document')
  response.writeHead(200, { 'content-type': answer.contentType, 'content-length': answer.body.length })
  response.end(answer.body)
}

const words: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
}

/** As WebOb writes it. */
function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) return void response.destroy()
  const title = `${status} ${words[status]}`
  const body = `<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n </body>\n</html>`
  const headers = { 'content-type': 'text/html; charset=UTF-8', ...(status === 429 && { 'retry-after': '1' }) }
  response.writeHead(status, headers)
  response.end(body)
}
