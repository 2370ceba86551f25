import type { Duplex } from 'node:stream'
import type { LibvirtClock } from '../clock.js'
import {
  LibvirtAbortError,
  LibvirtConnectionError,
  LibvirtDeadlineError,
  LibvirtError,
  LibvirtProtocolError,
  type LibvirtClientError,
} from '../errors.js'
import { sessionCalls, type Call } from '../protocol/calls.js'
import { wireError } from '../protocol/types.js'
import { XdrError } from '../xdr/bytes.js'
import { decode, encode, type Decoder } from '../xdr/codecs.js'
import { KeepAlive, keepAliveProgram, KeepAliveProcedure, keepAliveVersion, type KeepAliveOptions } from './keepalive.js'
import { encodePacket, maximumPayloadBytes, MessageStatus, MessageType, PacketDecoder, type Packet } from './packets.js'
import { LibvirtStream } from './stream.js'

/** REMOTE_PROGRAM (remote_protocol.x). */
export const remoteProgram = 0x20008086
export const remoteVersion = 1

export interface CallOptions {
  /** How long to wait for the answer. */
  timeoutMs?: number
  /** Gives the waiting up. What was sent is not taken back. */
  signal?: AbortSignal
}

export interface ChannelOptions {
  clock: LibvirtClock
  keepAlive: KeepAliveOptions | false
  /** The default deadline. */
  timeoutMs: number
  maximumCallsInFlight: number
  /** A message that nobody asked for. Called while packets are read: must not throw, and not block. */
  onMessage(packet: Packet): void
  /** Called once, when the channel is no more. */
  onClose(error: LibvirtConnectionError): void
}

interface PendingCall {
  name: string
  procedure: number
  payload: Buffer
  /** 0 until it is sent. */
  serial: number
  /** Nobody waits any more, but the daemon still works on it, and will answer. */
  abandoned: boolean
  settle(outcome: { error: LibvirtClientError } | { payload: Buffer }): void
  /** What to do about an answer that comes too late. */
  onLateReply?(serial: number): void
}

/**
 * One socket's life as libvirt's RPC: calls and their answers, streams, keepalive. When it dies, everything that hangs
 * on it ends with it. Packets are read as they come, whoever is slow to take what is in them.
 */
export class RpcChannel {
  private readonly socket: Duplex
  private readonly options: ChannelOptions
  private readonly decoder = new PacketDecoder()
  private readonly keepAlive: KeepAlive | undefined
  private readonly waiting = new Set<PendingCall>()
  private readonly inFlight = new Map<number, PendingCall>()
  private readonly streams = new Map<number, LibvirtStream>()
  private lastSerial = 0
  private closedBy: LibvirtConnectionError | undefined

  constructor(socket: Duplex, options: ChannelOptions) {
    this.socket = socket
    this.options = options
    socket.on('data', (bytes: Buffer) => this.receive(bytes))
    socket.on('error', (error) => this.close('the connection to libvirt failed', error))
    socket.on('end', () => this.close('libvirt closed the connection'))
    socket.on('close', () => this.close('the connection to libvirt closed'))
    if (options.keepAlive !== false) {
      const send = () => this.sendKeepAlive(KeepAliveProcedure.Ping)
      const onDead = (silentMs: number) =>
        this.close(`libvirt has been silent for ${Math.round(silentMs)} ms, and answers no ping`)
      this.keepAlive = new KeepAlive(options.clock, options.keepAlive, send, onDead)
    }
  }

  /** @throws LibvirtClientError: one of its kinds, each with what is known of the outcome. */
  call<Arguments, Result>(
    name: string,
    call: Call<Arguments, Result>,
    args: Arguments,
    options: CallOptions = {},
  ): Promise<Result> {
    return this.request(name, call, args, options, (payload) => decodeReply(name, call.result, payload))
  }

  /** Makes a call whose reply is followed by a stream. */
  openStream<Arguments>(
    name: string,
    call: Call<Arguments, void>,
    args: Arguments,
    options: CallOptions = {},
  ): Promise<LibvirtStream> {
    const send = (serial: number, status: number, bytes: Uint8Array, onSent?: () => void) =>
      this.send(call.procedure, MessageType.Stream, serial, status, bytes, onSent)
    const onReply = (payload: Buffer, serial: number) => {
      decodeReply(name, call.result, payload)
      const stream = new LibvirtStream(name, (status, bytes, onSent) => send(serial, status, bytes, onSent))
      this.streams.set(serial, stream)
      return stream
    }
    // Nobody will ever read it: the daemon shall not keep it open.
    const onLateReply = (serial: number) => send(serial, MessageStatus.Error, Buffer.alloc(0))
    return this.request(name, call, args, options, onReply, onLateReply)
  }

  /** @throws LibvirtConnectionError when the channel is no more. */
  assertOpen(): void {
    if (this.closedBy !== undefined) throw this.closedBy
  }

  /** Ends the channel in good order: with virConnectClose, where it would not have to wait behind other calls. */
  async sayGoodbye(): Promise<void> {
    const { connectClose } = sessionCalls
    // A daemon that does not answer loses its client all the same.
    if (this.inFlight.size === 0)
      await this.call('connectClose', connectClose, undefined, { timeoutMs: 1000 }).catch(() => undefined)
    this.close('the connection was closed')
  }

  /** Ends the channel; what is pending is rejected. A second close changes nothing. */
  close(message: string, cause?: unknown): void {
    if (this.closedBy !== undefined) return
    this.closedBy = new LibvirtConnectionError(message, 'not-sent', { cause })
    this.keepAlive?.stop()
    this.socket.destroy()
    const lost = new LibvirtConnectionError(message, 'unknown', { cause })
    for (const call of this.inFlight.values()) if (!call.abandoned) call.settle({ error: lost })
    for (const call of this.waiting) call.settle({ error: this.closedBy })
    for (const stream of this.streams.values()) stream.fail(lost)
    this.inFlight.clear()
    this.waiting.clear()
    this.streams.clear()
    this.options.onClose(this.closedBy)
  }

  /** `onReply` runs while the reply's packet is handled, so that packets of a stream right behind it find their stream. */
  private request<Arguments, Result>(
    name: string,
    call: Call<Arguments, unknown>,
    args: Arguments,
    { timeoutMs = call.timeoutMs ?? this.options.timeoutMs, signal }: CallOptions,
    onReply: (payload: Buffer, serial: number) => Result,
    onLateReply?: (serial: number) => void,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.closedBy !== undefined) return reject(this.closedBy)
      if (signal?.aborted) return reject(new LibvirtAbortError(name, signal.reason, 'not-sent'))
      const pending: PendingCall = {
        name,
        procedure: call.procedure,
        payload: encodeArguments(name, call, args),
        serial: 0,
        abandoned: false,
        onLateReply,
        settle: (outcome) => {
          timer.cancel()
          signal?.removeEventListener('abort', onAbort)
          if ('error' in outcome) return reject(outcome.error)
          try {
            resolve(onReply(outcome.payload, pending.serial))
          } catch (error) {
            reject(error)
          }
        },
      }
      const onAbort = () => this.abandon(pending, (outcome) => new LibvirtAbortError(name, signal!.reason, outcome))
      const onDeadline = () => this.abandon(pending, (outcome) => new LibvirtDeadlineError(name, timeoutMs, outcome))
      const timer = this.options.clock.after(timeoutMs, onDeadline)
      signal?.addEventListener('abort', onAbort)
      this.waiting.add(pending)
      this.sendWaiting()
    })
  }

  /** Nobody waits for this call any more. If it was sent, the daemon is still busy with it, so that it keeps its place. */
  private abandon(call: PendingCall, error: (outcome: 'not-sent' | 'unknown') => LibvirtClientError): void {
    const sent = !this.waiting.delete(call)
    call.settle({ error: error(sent ? 'unknown' : 'not-sent') })
    call.abandoned = true
  }

  private sendWaiting(): void {
    for (const call of this.waiting) {
      if (this.inFlight.size >= this.options.maximumCallsInFlight) return
      this.waiting.delete(call)
      call.serial = this.nextSerial()
      this.inFlight.set(call.serial, call)
      this.send(call.procedure, MessageType.Call, call.serial, MessageStatus.Ok, call.payload)
    }
  }

  private nextSerial(): number {
    do this.lastSerial = this.lastSerial === 0xffffffff ? 1 : this.lastSerial + 1
    while (this.inFlight.has(this.lastSerial) || this.streams.has(this.lastSerial))
    return this.lastSerial
  }

  private send(procedure: number, type: number, serial: number, status: number, payload: Uint8Array, onSent?: () => void): void {
    const header = { program: remoteProgram, version: remoteVersion, procedure, type, serial, status }
    this.socket.write(encodePacket(header, payload), onSent)
  }

  private sendKeepAlive(procedure: number): void {
    const header = { program: keepAliveProgram, version: keepAliveVersion, procedure, serial: 0 }
    this.socket.write(encodePacket({ ...header, type: MessageType.Message, status: MessageStatus.Ok }, Buffer.alloc(0)))
  }

  private receive(bytes: Buffer): void {
    if (this.closedBy !== undefined) return
    this.keepAlive?.received()
    try {
      this.decoder.push(bytes, (packet) => this.dispatch(packet))
    } catch (error) {
      this.close(`libvirt sent what cannot be read: ${(error as Error).message}`, error)
    }
  }

  private dispatch(packet: Packet): void {
    if (packet.program === keepAliveProgram) {
      // A daemon that does not take our answers gets no more of them: they would pile up here.
      if (packet.procedure === KeepAliveProcedure.Ping && !this.socket.writableNeedDrain)
        this.sendKeepAlive(KeepAliveProcedure.Pong)
      return
    }
    if (packet.program !== remoteProgram || packet.version !== remoteVersion) {
      throw new LibvirtProtocolError(`a packet of program ${packet.program} version ${packet.version}`, 'unknown')
    }
    if (packet.type === MessageType.Reply) return this.onReply(packet)
    if (packet.type === MessageType.Stream) return this.onStream(packet)
    if (packet.type === MessageType.Message) return this.options.onMessage(packet)
    throw new LibvirtProtocolError(`a packet of type ${packet.type}`, 'unknown')
  }

  private onReply(packet: Packet): void {
    const call = this.inFlight.get(packet.serial)
    if (call === undefined || call.procedure !== packet.procedure) {
      throw new LibvirtProtocolError(`an answer to a call that was not made (${packet.procedure}, ${packet.serial})`, 'unknown')
    }
    this.inFlight.delete(packet.serial)
    if (packet.status === MessageStatus.Error) {
      if (!call.abandoned) call.settle({ error: decodeError(call.name, packet.payload) })
    } else if (call.abandoned) call.onLateReply?.(packet.serial)
    else call.settle({ payload: packet.payload })
    this.sendWaiting()
  }

  private onStream(packet: Packet): void {
    const stream = this.streams.get(packet.serial)
    // One that we aborted may still have been sending.
    if (stream === undefined) return
    if (packet.status === MessageStatus.Continue) return stream.receive(packet.payload)
    this.streams.delete(packet.serial)
    if (packet.status === MessageStatus.Error) stream.fail(decodeError(stream.call, packet.payload))
    else stream.finish()
  }
}

function encodeArguments<Arguments>(name: string, call: Call<Arguments, unknown>, args: Arguments): Buffer {
  try {
    const payload = encode(call.arguments, args)
    if (payload.length > maximumPayloadBytes)
      throw new XdrError(`${payload.length} bytes, at most ${maximumPayloadBytes} are allowed`)
    return payload
  } catch (error) {
    throw new LibvirtProtocolError(`${name}: ${(error as Error).message}`, 'not-sent', { cause: error })
  }
}

function decodeReply<Result>(name: string, decoder: Decoder<Result>, payload: Buffer): Result {
  try {
    return decode(decoder, payload)
  } catch (error) {
    throw new LibvirtProtocolError(`${name}: an answer that cannot be read: ${(error as Error).message}`, 'unknown', {
      cause: error,
    })
  }
}

function decodeError(name: string, payload: Buffer): LibvirtClientError {
  try {
    return new LibvirtError(name, decode(wireError, payload))
  } catch (error) {
    return new LibvirtProtocolError(`${name}: an error that cannot be read: ${(error as Error).message}`, 'unknown', {
      cause: error,
    })
  }
}
