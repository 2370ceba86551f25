import net from 'node:net'
import type { Duplex } from 'node:stream'
import nodeTls, { type ConnectionOptions } from 'node:tls'
import { LibvirtConnectionError } from '../errors.js'

/** A way to reach a libvirt daemon. */
export interface Transport {
  /** For messages: where it leads. */
  readonly address: string
  /** @returns a stream that the daemon's first byte will be read from; rejects when `signal` fires first. */
  open(signal: AbortSignal): Promise<Duplex>
}

/** Where a daemon that runs as root listens. */
export const defaultSocketPath = '/run/libvirt/libvirt-sock'

/** @param path of the daemon's socket; at most 107 bytes, which is what the kernel takes. */
export function unixSocket(path: string = defaultSocketPath): Transport {
  return {
    address: `unix:${path}`,
    open: (signal) => opened(net.connect({ path }), 'connect', signal),
  }
}

/** Plain TCP: neither secret nor authenticated, for private networks. */
export function tcp({ host, port = 16509 }: { host: string; port?: number }): Transport {
  return {
    address: `tcp://${host}:${port}`,
    open: (signal) => opened(net.connect({ host, port, noDelay: true }), 'connect', signal),
  }
}

/** TLS; `ca`, `cert` and `key` as Node takes them. */
export function tls({ host, port = 16514, ...options }: { host: string; port?: number } & ConnectionOptions): Transport {
  return {
    address: `tls://${host}:${port}`,
    async open(signal) {
      const socket = await opened(nodeTls.connect({ host, port, ...options }), 'secureConnect', signal)
      await admitted(socket, signal)
      return socket
    },
  }
}

function opened<S extends net.Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.off(event, onOpen).off('error', onError)
      action()
    }
    const onOpen = () => settle(() => resolve(socket))
    const onError = (error: Error) => settle(() => reject(error))
    const onAbort = () => {
      settle(() => reject(signal.reason))
      socket.destroy()
    }
    socket.on(event, onOpen).on('error', onError)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
}

/** After the TLS handshake the daemon looks at our certificate, and says with one byte of value 1 that it will do. */
async function admitted(socket: net.Socket, signal: AbortSignal): Promise<void> {
  const refuse = (message: string): never => {
    socket.destroy()
    throw new LibvirtConnectionError(message, 'not-sent')
  }
  while (!signal.aborted) {
    const byte = socket.read(1) as Buffer | null
    if (byte !== null) return byte[0] === 1 ? undefined : refuse('the daemon refused our certificate')
    if (socket.destroyed || socket.readableEnded) refuse('the daemon hung up on our certificate')
    await new Promise<void>((resolve) => {
      const events = ['readable', 'close', 'error'] as const
      const wake = () => {
        for (const event of events) socket.off(event, wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      for (const event of events) socket.on(event, wake)
      signal.addEventListener('abort', wake)
    })
  }
  socket.destroy()
  throw signal.reason
}
