import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calls, sessionCalls, type Call } from '../protocol/calls.js'
import { events, type EventKind } from '../protocol/events.js'
import { wireError } from '../protocol/types.js'
import { remoteProgram, remoteVersion } from '../rpc/channel.js'
import { keepAliveProgram, KeepAliveProcedure } from '../rpc/keepalive.js'
import { encodePacket, MessageStatus, MessageType, PacketDecoder, type Packet } from '../rpc/packets.js'
import { unixSocket, type Transport } from '../rpc/transport.js'
import { array, encode, int, nothing, type Codec } from '../xdr/codecs.js'

const allCalls: Record<string, Call<any, any>> = { ...calls, ...sessionCalls }

/** What the daemon says by itself to a call; a procedure that is not here is left to the test. */
type Answers = Record<string, (peer: FakePeer, packet: Packet) => void>

const empty = Buffer.alloc(0)

/** A daemon of bytes alone, on a real unix socket, which does to its clients whatever a test wants. */
export class FakeDaemon implements AsyncDisposable {
  readonly peers: FakePeer[] = []
  readonly answers: Answers = {
    authList: (peer, packet) => peer.reply(packet, array(int, 20), [0]),
    connectSupportsFeature: (peer, packet) => peer.reply(packet, int, 1),
    connectOpen: (peer, packet) => peer.reply(packet, nothing, undefined),
    connectClose: (peer, packet) => peer.reply(packet, nothing, undefined),
    connectDomainEventCallbackRegisterAny: (peer, packet) => peer.reply(packet, int, peer.packets.length),
    connectDomainEventCallbackDeregisterAny: (peer, packet) => peer.reply(packet, nothing, undefined),
  }
  private readonly server: net.Server
  private readonly directory: string
  private onPeer: (() => void)[] = []

  private constructor(server: net.Server, directory: string) {
    this.server = server
    this.directory = directory
    server.on('connection', (socket) => {
      this.peers.push(new FakePeer(socket, this.answers))
      for (const wake of this.onPeer.splice(0)) wake()
    })
  }

  static async start(): Promise<FakeDaemon> {
    const directory = await mkdtemp(join(tmpdir(), 'fake-libvirtd-'))
    const server = net.createServer()
    const daemon = new FakeDaemon(server, directory)
    await daemon.listen()
    return daemon
  }

  get transport(): Transport {
    return unixSocket(join(this.directory, 'socket'))
  }

  /** The connection that came `index`th, from 0, once it is there. */
  async peer(index: number): Promise<FakePeer> {
    while (this.peers.length <= index) await new Promise<void>((resolve) => this.onPeer.push(resolve))
    return this.peers[index]!
  }

  async listen(): Promise<void> {
    this.server.listen(join(this.directory, 'socket'))
    await once(this.server, 'listening')
  }

  /** Accepts no more connections, until `listen`. */
  stopListening(): void {
    this.server.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopListening()
    for (const peer of this.peers) peer.socket.destroy()
    await rm(this.directory, { recursive: true })
  }
}

/** The daemon's end of one connection. */
export class FakePeer {
  readonly socket: net.Socket
  /** All that the client has sent, in order. */
  readonly packets: Packet[] = []
  private readonly decoder = new PacketDecoder()
  private wakers: (() => void)[] = []

  constructor(socket: net.Socket, answers: Answers) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (bytes) =>
      this.decoder.push(bytes, (packet) => {
        this.packets.push(packet)
        const name = nameOf(packet)
        if (packet.type === MessageType.Call && name !== undefined) answers[name]?.(this, packet)
        for (const wake of this.wakers.splice(0)) wake()
      }),
    )
  }

  /** Waits for the client's `count`th packet that fits. */
  async packet(fits: (packet: Packet) => boolean, count = 1): Promise<Packet> {
    for (;;) {
      const found = this.packets.filter(fits)[count - 1]
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.wakers.push(resolve))
    }
  }

  /** Waits for the `count`th time that the client makes this call. */
  call(name: string, count = 1): Promise<Packet> {
    return this.packet((packet) => packet.type === MessageType.Call && nameOf(packet) === name, count)
  }

  callsMade(name: string): number {
    return this.packets.filter((packet) => packet.type === MessageType.Call && nameOf(packet) === name).length
  }

  pings(): number {
    return this.packets.filter(({ program, procedure }) => program === keepAliveProgram && procedure === KeepAliveProcedure.Ping)
      .length
  }

  reply<T>(call: Packet, codec: Codec<T>, value: T): void {
    this.write({ ...call, type: MessageType.Reply, status: MessageStatus.Ok }, encode(codec, value))
  }

  replyError(call: Packet, error: { code: number; domain: number; message: string; strings?: string[]; ints?: number[] }): void {
    const { code, domain, message, strings = [], ints = [0, 0] } = error
    const [string1, string2, string3] = strings
    const body = { code, domain, message, level: 2, string1, string2, string3, int1: ints[0]!, int2: ints[1]! }
    this.write({ ...call, type: MessageType.Reply, status: MessageStatus.Error }, encode(wireError, body))
  }

  event<K extends EventKind>(kind: K, body: Record<string, unknown>): void {
    const payload = encode(events[kind].body as Codec<unknown>, { callbackId: 1, ...body })
    this.write(remote(events[kind].procedure, MessageType.Message, 0, MessageStatus.Ok), payload)
  }

  stream(opened: Packet, status: number, payload: Buffer = empty): void {
    this.write({ ...opened, type: MessageType.Stream, status }, payload)
  }

  ping(): void {
    const header = { program: keepAliveProgram, version: 1, procedure: KeepAliveProcedure.Ping, serial: 0 }
    this.write({ ...header, type: MessageType.Message, status: MessageStatus.Ok }, empty)
  }

  /** Waits for the client's `count`th answer to a ping. */
  pong(count = 1): Promise<Packet> {
    return this.packet(({ program, procedure }) => program === keepAliveProgram && procedure === KeepAliveProcedure.Pong, count)
  }

  write(header: Omit<Packet, 'payload'>, payload: Buffer): void {
    this.socket.write(encodePacket(header, payload))
  }
}

export function remote(procedure: number, type: number, serial: number, status: number): Omit<Packet, 'payload'> {
  return { program: remoteProgram, version: remoteVersion, procedure, type, serial, status }
}

function nameOf({ procedure, program }: Packet): string | undefined {
  return program === remoteProgram ? Object.keys(allCalls).find((name) => allCalls[name]!.procedure === procedure) : undefined
}
