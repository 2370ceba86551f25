import type { LibvirtClock } from './clock.js'
import { LibvirtAbortError, LibvirtClientError, LibvirtConnectionError, LibvirtDeadlineError } from './errors.js'
import type { EventKind } from './protocol/events.js'
import { Registrations } from './registrations.js'
import { RpcChannel } from './rpc/channel.js'
import type { KeepAliveOptions } from './rpc/keepalive.js'
import type { Packet } from './rpc/packets.js'
import type { Transport } from './rpc/transport.js'
import { beginSession } from './session.js'

export interface ReconnectOptions {
  /** The pause after the first try that failed; it doubles with each. */
  initialDelayMs: number
  maximumDelayMs: number
}

export interface LinkOptions {
  transport: Transport
  uri: string
  readOnly: boolean
  timeoutMs: number
  connectTimeoutMs: number
  keepAlive: KeepAliveOptions | false
  reconnect: ReconnectOptions | false
  maximumCallsInFlight: number
  clock: LibvirtClock
  random: () => number
}

export interface LinkHandlers {
  wantedEvents(): ReadonlySet<EventKind>
  onMessage(packet: Packet): void
  onDisconnected(error: LibvirtConnectionError): void
  onReconnectFailed(error: unknown, nextDelayMs: number): void
  onReconnected(): void
  onClosed(): void
}

/** A channel on which calls may be made, with the registrations on it. */
export interface LiveChannel {
  channel: RpcChannel
  registrations: Registrations
}

/** Keeps a channel to the daemon: makes the first, and another whenever one dies. */
export class Link {
  private readonly options: LinkOptions
  private readonly handlers: LinkHandlers
  private readonly closing = new AbortController()
  private live: LiveChannel | undefined

  constructor(options: LinkOptions, handlers: LinkHandlers) {
    this.options = options
    this.handlers = handlers
  }

  get state(): 'connected' | 'disconnected' | 'closed' {
    if (this.closing.signal.aborted) return 'closed'
    return this.live === undefined ? 'disconnected' : 'connected'
  }

  /** @throws LibvirtConnectionError while there is no channel. */
  current(): LiveChannel {
    if (this.live !== undefined) return this.live
    throw new LibvirtConnectionError(
      this.state === 'closed' ? 'the connection to libvirt is closed' : 'there is no connection to libvirt at the moment',
      'not-sent',
    )
  }

  /** Makes the first channel. It is not tried twice: the caller shall learn what is wrong with its options. */
  async connect(signal?: AbortSignal): Promise<void> {
    this.adopt(await this.establish(signal))
  }

  /** Ends it for good; what is pending is rejected. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return
    const { live } = this
    this.live = undefined
    this.closing.abort()
    await live?.channel.sayGoodbye()
    this.handlers.onClosed()
  }

  private async establish(signal?: AbortSignal): Promise<LiveChannel> {
    const { clock, connectTimeoutMs, transport } = this.options
    const late = new AbortController()
    const timer = clock.after(connectTimeoutMs, () =>
      late.abort(new LibvirtDeadlineError('connect', connectTimeoutMs, 'not-sent')),
    )
    const given = signal === undefined ? [] : [signal]
    try {
      return await this.tryToEstablish(AbortSignal.any([late.signal, this.closing.signal, ...given]))
    } catch (error) {
      if (late.signal.aborted) throw late.signal.reason
      if (signal?.aborted) throw new LibvirtAbortError('connect', signal.reason, 'not-sent')
      if (error instanceof LibvirtClientError) throw error
      const message = `cannot connect to libvirt at ${transport.address}: ${(error as Error).message}`
      throw new LibvirtConnectionError(message, 'not-sent', { cause: error })
    } finally {
      timer.cancel()
    }
  }

  private async tryToEstablish(signal: AbortSignal): Promise<LiveChannel> {
    const { options, handlers } = this
    const channel = new RpcChannel(await options.transport.open(signal), {
      ...options,
      onMessage: (packet) => handlers.onMessage(packet),
      onClose: (error) => this.onChannelClosed(channel, error),
    })
    const registrations = new Registrations(channel, () => handlers.wantedEvents())
    try {
      const session = { uri: options.uri, readOnly: options.readOnly, keepAlive: options.keepAlive !== false }
      const callOptions = { timeoutMs: options.connectTimeoutMs, signal }
      await beginSession(channel, session, callOptions)
      await registrations.synchronise(callOptions)
      return { channel, registrations }
    } catch (error) {
      channel.close('the session could not be begun', error)
      throw error
    }
  }

  /** @throws LibvirtConnectionError where the channel died, or the link was closed, before anybody could have been told. */
  private adopt(live: LiveChannel): void {
    if (this.closing.signal.aborted) live.channel.close('the connection was closed')
    live.channel.assertOpen()
    this.live = live
  }

  private onChannelClosed(channel: RpcChannel, error: LibvirtConnectionError): void {
    // One that dies while it is being made is dealt with by whoever makes it.
    if (this.live?.channel !== channel) return
    this.live = undefined
    if (this.options.reconnect === false) void this.close()
    else void this.reconnect(this.options.reconnect)
    this.handlers.onDisconnected(error)
  }

  private async reconnect({ initialDelayMs, maximumDelayMs }: ReconnectOptions): Promise<void> {
    for (let attempt = 0; this.live === undefined; attempt++) {
      try {
        this.adopt(await this.establish())
      } catch (error) {
        if (this.closing.signal.aborted) return
        // Half of the pause is left to chance, so that many clients of one daemon do not come back as one.
        const delayMs = Math.min(maximumDelayMs, initialDelayMs * 2 ** attempt) * (0.5 + this.options.random() / 2)
        this.handlers.onReconnectFailed(error, delayMs)
        await this.pause(delayMs)
        if (this.closing.signal.aborted) return
      }
    }
    this.handlers.onReconnected()
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel()
        this.closing.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = this.options.clock.after(delayMs, end)
      this.closing.signal.addEventListener('abort', end)
    })
  }
}
