import { LibvirtProtocolError } from '../errors.js'

/** VIR_NET_MESSAGE_MAX: what a libvirt daemon of today may send in one message. */
export const maximumMessageBytes = 32 * 1024 * 1024

const lengthBytes = 4
const headerBytes = 24
const minimumPacketBytes = lengthBytes + headerBytes
export const maximumPayloadBytes = maximumMessageBytes - headerBytes

/** virNetMessageType. */
export const MessageType = {
  Call: 0,
  Reply: 1,
  Message: 2,
  Stream: 3,
  CallWithFileDescriptors: 4,
  ReplyWithFileDescriptors: 5,
} as const

/** virNetMessageStatus. */
export const MessageStatus = { Ok: 0, Error: 1, Continue: 2 } as const

export interface PacketHeader {
  program: number
  version: number
  procedure: number
  /** One of `MessageType`. */
  type: number
  serial: number
  /** One of `MessageStatus`. */
  status: number
}

export interface Packet extends PacketHeader {
  payload: Buffer
}

/** @throws LibvirtProtocolError where the payload is more than a daemon would take. */
export function encodePacket(header: PacketHeader, payload: Uint8Array): Buffer {
  const total = minimumPacketBytes + payload.length
  if (total - lengthBytes > maximumMessageBytes) {
    throw new LibvirtProtocolError(`a message of ${total} bytes, at most ${maximumMessageBytes} are allowed`, 'not-sent')
  }
  const bytes = Buffer.allocUnsafe(total)
  bytes.writeUInt32BE(total, 0)
  bytes.writeUInt32BE(header.program, 4)
  bytes.writeUInt32BE(header.version, 8)
  bytes.writeInt32BE(header.procedure, 12)
  bytes.writeInt32BE(header.type, 16)
  bytes.writeUInt32BE(header.serial, 20)
  bytes.writeInt32BE(header.status, 24)
  bytes.set(payload, minimumPacketBytes)
  return bytes
}

/**
 * Cuts a stream of bytes into packets, however the bytes were split on their way. Holds at most one packet that is not
 * complete, and takes memory as its bytes arrive, not as its length claims.
 */
export class PacketDecoder {
  private chunks: Buffer[] = []
  private buffered = 0
  /** Bytes of the packet under way, its length field included; 0 while that field is not there yet. */
  private expected = 0
  private readonly maximumBytes: number

  constructor(maximumBytes: number = maximumMessageBytes) {
    this.maximumBytes = maximumBytes
  }

  /**
   * Hands each packet that these bytes complete to `onPacket`, in order.
   * @throws LibvirtProtocolError where the stream is not libvirt's protocol; it cannot be read on after that.
   */
  push(bytes: Buffer, onPacket: (packet: Packet) => void): void {
    if (bytes.length === 0) return
    this.chunks.push(bytes)
    this.buffered += bytes.length
    while (this.buffered >= lengthBytes) {
      if (this.expected === 0) this.expected = this.readLength()
      if (this.buffered < this.expected) return
      onPacket(parsePacket(this.takePacket()))
    }
  }

  private readLength(): number {
    const length = this.joined(lengthBytes).readUInt32BE(0)
    if (length < minimumPacketBytes)
      throw new LibvirtProtocolError(`a packet of ${length} bytes, shorter than its header`, 'unknown')
    if (length - lengthBytes > this.maximumBytes) {
      throw new LibvirtProtocolError(`a packet of ${length} bytes, at most ${this.maximumBytes} are allowed`, 'unknown')
    }
    return length
  }

  /** The first chunk, made at least `length` long. Joins all chunks at most once a packet. */
  private joined(length: number): Buffer {
    if (this.chunks[0]!.length < length) this.chunks = [Buffer.concat(this.chunks, this.buffered)]
    return this.chunks[0]!
  }

  private takePacket(): Buffer {
    const first = this.joined(this.expected)
    const packet = first.subarray(0, this.expected)
    if (first.length === this.expected) this.chunks.shift()
    else this.chunks[0] = first.subarray(this.expected)
    this.buffered -= this.expected
    this.expected = 0
    return packet
  }
}

function parsePacket(bytes: Buffer): Packet {
  const type = bytes.readInt32BE(16)
  const status = bytes.readInt32BE(24)
  if (type < MessageType.Call || type > MessageType.ReplyWithFileDescriptors) {
    throw new LibvirtProtocolError(`a packet of unknown type ${type}`, 'unknown')
  }
  if (status < MessageStatus.Ok || status > MessageStatus.Continue) {
    throw new LibvirtProtocolError(`a packet of unknown status ${status}`, 'unknown')
  }
  return {
    program: bytes.readUInt32BE(4),
    version: bytes.readUInt32BE(8),
    procedure: bytes.readInt32BE(12),
    type,
    serial: bytes.readUInt32BE(20),
    status,
    payload: bytes.subarray(minimumPacketBytes),
  }
}
