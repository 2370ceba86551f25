import { EventEmitter } from 'node:events'
import { systemClock, type LibvirtClock } from './clock.js'
import { LibvirtAbortError, LibvirtConnectionError, LibvirtDeadlineError } from './errors.js'
import { Link, type LinkOptions, type ReconnectOptions } from './link.js'
import { calls, sessionCalls, type Call } from './protocol/calls.js'
import { allCells, allCpus } from './protocol/constants.js'
import { eventKindOf, events, type DomainEvent, type EventKind } from './protocol/events.js'
import type { DomainReference } from './protocol/types.js'
import type { CallOptions } from './rpc/channel.js'
import type { KeepAliveOptions } from './rpc/keepalive.js'
import type { Packet } from './rpc/packets.js'
import type { LibvirtStream } from './rpc/stream.js'
import { unixSocket, type Transport } from './rpc/transport.js'
import { Subscription } from './subscription.js'
import { decode, nothing, type Codec } from './xdr/codecs.js'

export interface ConnectOptions {
  /** Default: the unix socket of a daemon that runs as root. */
  transport?: Transport
  /** The hypervisor to open. Default `qemu:///system`. */
  uri?: string
  readOnly?: boolean
  /** The deadline of a call that sets none, ms. Default 30,000; starting, stopping and probing have 120,000. */
  timeoutMs?: number
  /** The deadline for one try to connect, from the socket to the last registration, ms. Default 15,000. */
  connectTimeoutMs?: number
  /** When to ping a silent daemon, and when to give it up. Default: every 5 s, 5 times. `false`: never. */
  keepAlive?: KeepAliveOptions | false
  /** Default: at once, then with pauses that grow from 100 ms to 10 s. `false`: a lost connection stays lost. */
  reconnect?: ReconnectOptions | false
  /**
   * How many calls may be with the daemon at once; more wait here. Default 4: with as many as its `max_client_requests`
   * (5) a daemon stops reading, and so neither answers nor sees a ping.
   */
  maximumCallsInFlight?: number
  clock?: LibvirtClock
  /** A number from 0 up to 1, that spreads out reconnects. Default `Math.random`. */
  random?: () => number
  /** Gives the first connect up. */
  signal?: AbortSignal
}

type CallMethod<C> =
  C extends Call<infer Arguments, infer Result>
    ? [Arguments] extends [void]
      ? (options?: CallOptions) => Promise<Result>
      : {} extends Arguments
        ? (args?: Arguments, options?: CallOptions) => Promise<Result>
        : (args: Arguments, options?: CallOptions) => Promise<Result>
    : never

/** Every entry of the table of calls as a method. */
export type LibvirtCalls = { [Name in keyof typeof calls]: CallMethod<(typeof calls)[Name]> }

export interface LibvirtConnectionEvents {
  /** The connection died; calls fail until `reconnected`. */
  disconnected: [error: LibvirtConnectionError]
  /** A try to connect again failed; the next comes after `nextDelayMs`. */
  reconnectFailed: [error: unknown, nextDelayMs: number]
  /** It is back, and every subscription is registered again. What happened meanwhile was missed. */
  reconnected: []
  /** It is over for good: `close` was called, or it died and shall not reconnect. */
  closed: []
}

export interface LibvirtConnection extends LibvirtCalls {}

/** A connection to one hypervisor of one libvirt daemon. Made by `connectLibvirt`. */
export class LibvirtConnection extends EventEmitter<LibvirtConnectionEvents> implements AsyncDisposable {
  private readonly link: Link
  private readonly options: LinkOptions
  private readonly subscriptions = new Set<Subscription<any>>()

  private constructor(options: LinkOptions) {
    super()
    this.options = options
    this.link = new Link(options, {
      wantedEvents: () => this.wantedEvents(),
      onMessage: (packet) => this.onMessage(packet),
      onDisconnected: (error) => this.emit('disconnected', error),
      onReconnectFailed: (error, nextDelayMs) => this.emit('reconnectFailed', error, nextDelayMs),
      onReconnected: () => this.onReconnected(),
      onClosed: () => this.onClosed(),
    })
  }

  /** @see connectLibvirt */
  static async connect(options: ConnectOptions = {}): Promise<LibvirtConnection> {
    const connection = new LibvirtConnection(withDefaults(options))
    await connection.link.connect(options.signal)
    return connection
  }

  get state(): 'connected' | 'disconnected' | 'closed' {
    return this.link.state
  }

  /**
   * Subscribes to events of all domains.
   * @param kinds of events, from the table `events`.
   * @param options `limit`: how many events may wait for the reader (default 1024) before they are dropped for a resync.
   */
  async subscribe<K extends EventKind>(
    kinds: readonly K[],
    { limit = 1024, ...options }: CallOptions & { limit?: number } = {},
  ): Promise<Subscription<K>> {
    const { registrations } = this.link.current()
    const subscription: Subscription<K> = new Subscription(kinds, limit, () => this.onUnsubscribed(subscription))
    this.subscriptions.add(subscription)
    try {
      await registrations.synchronise(options)
    } catch (error) {
      subscription.close()
      throw error
    }
    return subscription
  }

  /**
   * Opens a guest's console (virDomainOpenConsole): bytes both ways.
   * @param args `device`: the alias of the console or serial port (default: the first); `flags`: see `ConsoleFlags`.
   */
  async openConsole(
    args: { domain: DomainReference; device?: string; flags?: number },
    options?: CallOptions,
  ): Promise<LibvirtStream> {
    return this.link.current().channel.openStream('domainOpenConsole', sessionCalls.domainOpenConsole, args, options)
  }

  /** The host's memory in KiB, by libvirt's names: `total`, `free`, `buffers`, `cached`. One NUMA cell has only the first two. */
  async nodeMemoryStatistics(cell: number = allCells, options?: CallOptions): Promise<Record<string, bigint>> {
    const { count } = await this.nodeGetMemoryStats({ count: 0, cell }, options)
    return asRecord((await this.nodeGetMemoryStats({ count, cell }, options)).statistics)
  }

  /** The host's CPU times in nanoseconds, by libvirt's names: `user`, `kernel`, `idle`, `iowait`. */
  async nodeCpuStatistics(cpu: number = allCpus, options?: CallOptions): Promise<Record<string, bigint>> {
    const { count } = await this.nodeGetCpuStats({ count: 0, cpu }, options)
    return asRecord((await this.nodeGetCpuStats({ count, cpu }, options)).statistics)
  }

  /** Resolves when calls can be made: at once, or after a reconnect. */
  ready({ timeoutMs = this.options.timeoutMs, signal }: CallOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.state === 'connected') return resolve()
      const closed = () => new LibvirtConnectionError('the connection to libvirt is closed', 'not-sent')
      if (this.state === 'closed') return reject(closed())
      if (signal?.aborted) return reject(new LibvirtAbortError('ready', signal.reason, 'not-sent'))
      const settle = (action: () => void) => {
        timer.cancel()
        signal?.removeEventListener('abort', onAbort)
        this.off('reconnected', onReconnected).off('closed', onClosed)
        action()
      }
      const onReconnected = () => settle(resolve)
      const onClosed = () => settle(() => reject(closed()))
      const onAbort = () => settle(() => reject(new LibvirtAbortError('ready', signal!.reason, 'not-sent')))
      const onDeadline = () => settle(() => reject(new LibvirtDeadlineError('ready', timeoutMs, 'not-sent')))
      const timer = this.options.clock.after(timeoutMs, onDeadline)
      signal?.addEventListener('abort', onAbort)
      this.on('reconnected', onReconnected).on('closed', onClosed)
    })
  }

  /** Ends the connection for good: what is pending is rejected, subscriptions are done. */
  close(): Promise<void> {
    return this.link.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private wantedEvents(): ReadonlySet<EventKind> {
    return new Set([...this.subscriptions].flatMap(({ kinds }) => kinds))
  }

  private onMessage(packet: Packet): void {
    const kind = eventKindOf(packet.procedure)
    if (kind === undefined) return
    const subscribers = [...this.subscriptions].filter(({ kinds }) => kinds.includes(kind))
    try {
      const { callbackId, ...body } = decode(events[kind].body as Codec<{ callbackId: number }>, packet.payload)
      for (const subscription of subscribers) subscription.deliver({ kind, ...body } as DomainEvent)
    } catch {
      for (const subscription of subscribers) subscription.resync('unreadable')
    }
  }

  private onUnsubscribed(subscription: Subscription<any>): void {
    this.subscriptions.delete(subscription)
    // Where there is no channel, or none for much longer, there is nothing to take back.
    if (this.state === 'connected')
      void this.link
        .current()
        .registrations.synchronise()
        .catch(() => undefined)
  }

  private onReconnected(): void {
    for (const subscription of this.subscriptions) subscription.resync('reconnected')
    this.emit('reconnected')
  }

  private onClosed(): void {
    for (const subscription of this.subscriptions) subscription.close()
    this.emit('closed')
  }

  static {
    for (const [name, call] of Object.entries(calls) as [keyof typeof calls, Call<unknown, unknown>][]) {
      const invoke = async function (this: LibvirtConnection, args: unknown, options?: CallOptions): Promise<unknown> {
        return this.link.current().channel.call(name, call, args, options)
      }
      const takesNothing = call.arguments === nothing
      const value = takesNothing
        ? function (this: LibvirtConnection, options?: CallOptions) {
            return invoke.call(this, undefined, options)
          }
        : function (this: LibvirtConnection, args: unknown = {}, options?: CallOptions) {
            return invoke.call(this, args, options)
          }
      Object.defineProperty(this.prototype, name, { value, writable: true, configurable: true })
    }
  }
}

function asRecord(statistics: readonly { field: string; value: bigint }[]): Record<string, bigint> {
  return Object.fromEntries(statistics.map(({ field, value }) => [field, value]))
}

function withDefaults(options: ConnectOptions): LinkOptions {
  return {
    transport: options.transport ?? unixSocket(),
    uri: options.uri ?? 'qemu:///system',
    readOnly: options.readOnly ?? false,
    timeoutMs: options.timeoutMs ?? 30_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 15_000,
    keepAlive: options.keepAlive ?? { intervalMs: 5000, count: 5 },
    reconnect: options.reconnect ?? { initialDelayMs: 100, maximumDelayMs: 10_000 },
    maximumCallsInFlight: options.maximumCallsInFlight ?? 4,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

/**
 * Connects to a libvirt daemon, and stays connected: a connection that dies is made again, and its event registrations
 * with it.
 * @throws LibvirtConnectionError or LibvirtDeadlineError where the daemon cannot be reached, LibvirtError where it does not
 * open the URI, LibvirtAbortError where `signal` fired.
 */
export function connectLibvirt(options?: ConnectOptions): Promise<LibvirtConnection> {
  return LibvirtConnection.connect(options)
}
