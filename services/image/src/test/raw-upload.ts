import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** An upload over a bare socket, to be paused, cut or lied about. */
export class RawUpload {
  private received = ''

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => (this.received += text))
    socket.on('error', () => undefined)
  }

  /** Sends the head of a request; `declaredBytes` undefined sends it in chunks. */
  static async begin(url: string, path: string, token: string, declaredBytes: number | undefined): Promise<RawUpload> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    const upload = new RawUpload(socket)
    const length = declaredBytes === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${declaredBytes}`
    socket.write(
      `PUT ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nX-Auth-Token: ${token}\r\nContent-Type: application/octet-stream\r\n${length}\r\n\r\n`,
    )
    return upload
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  sendChunk(bytes: Uint8Array): void {
    this.socket.write(`${bytes.length.toString(16)}\r\n`)
    this.socket.write(bytes)
    this.socket.write('\r\n')
  }

  /** As a client that dies: no proper end. */
  cut(): void {
    this.socket.resetAndDestroy()
  }

  /** As a client that closes too early. */
  close(): void {
    this.socket.end()
  }

  get isClosed(): boolean {
    return this.socket.closed
  }

  /** The status of the answer, as far as there is one. */
  get status(): number | undefined {
    const match = /^HTTP\/1\.1 (\d{3})/.exec(this.received)
    return match ? Number(match[1]) : undefined
  }
}
