import { Duplex } from 'node:stream'
import { LibvirtConnectionError, type LibvirtClientError } from '../errors.js'
import { MessageStatus } from './packets.js'

/** VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX: as much in one packet as every daemon takes. */
const maximumStreamChunkBytes = 262_120

/** What may lie unread before the stream is given up: the socket is shared, so it cannot be held back for one reader. */
const maximumUnreadBytes = 4 * 1024 * 1024

type Send = (status: number, bytes: Uint8Array, onSent?: () => void) => void

/**
 * A stream beside the calls of a connection: a guest's console. It ends when the other side ends it, and fails with the
 * connection, with libvirt's error, or when its reader falls too far behind. Destroying it closes it on the daemon too.
 */
export class LibvirtStream extends Duplex {
  /** The call that opened it. */
  readonly call: string
  private readonly sendPacket: Send
  /** The daemon has said its last word, or cannot say anything any more. */
  private over = false

  constructor(call: string, sendPacket: Send) {
    super({ allowHalfOpen: false })
    this.call = call
    this.sendPacket = sendPacket
    // Nobody listening must not mean that a lost connection ends the process; readers and pipelines still get the error.
    this.on('error', () => undefined)
  }

  /** For the channel: bytes from the daemon; none mean that there will be no more. */
  receive(bytes: Buffer): void {
    if (this.destroyed || this.readableEnded) return
    if (bytes.length === 0) this.push(null)
    else if (this.readableLength + bytes.length > maximumUnreadBytes) {
      this.destroy(new LibvirtConnectionError(`${this.call}: more than ${maximumUnreadBytes} bytes lie unread`, 'unknown'))
    } else this.push(Buffer.from(bytes))
  }

  /** For the channel: the daemon has closed the stream in good order. */
  finish(): void {
    this.over = true
    if (!this.destroyed) this.push(null)
  }

  /** For the channel: there will be no more, because of `error`. */
  fail(error: LibvirtClientError): void {
    this.over = true
    this.destroy(error)
  }

  override _read(): void {
    // Nothing to ask for: the daemon sends as it likes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.over) return callback(new LibvirtConnectionError(`${this.call}: the stream is over`, 'not-sent'))
    for (let start = 0; start < chunk.length; start += maximumStreamChunkBytes) {
      const end = start + maximumStreamChunkBytes
      this.sendPacket(MessageStatus.Continue, chunk.subarray(start, end), end >= chunk.length ? () => callback() : undefined)
    }
    if (chunk.length === 0) callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.over) {
      this.over = true
      // Ok asks the daemon to finish, Error to abort.
      this.sendPacket(error === null ? MessageStatus.Ok : MessageStatus.Error, Buffer.alloc(0))
    }
    callback(error)
  }
}
