import { createServer } from 'node:net'
import { type Random, systemRandom } from '@nubo/kernel'

/** True when nothing listens on this TCP port of the address. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

const firstPort = 15_000
/** Where Linux begins to give ports to outgoing connections by itself (ip_local_port_range). */
const lastPort = 32_767

/**
 * Keeps all others who ask here from a port for as long as this process lives: whoever was given one may not listen on it yet.
 * False where it is kept already, be it by another process. It is said by an abstract socket, which is a network namespace's
 * own, as ports are, and which the kernel takes away with its process.
 */
export function reservePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const mark = createServer().unref()
    mark.once('error', () => resolve(false))
    mark.listen({ path: `\0nubo-port-${port}` }, () => resolve(true))
  })
}

/**
 * A TCP port that is free just now: any one below those that the kernel gives to outgoing connections, so that nobody is
 * likely to take it before its user does. No port is given twice while whoever was given it lives.
 */
export async function freePort(host = '127.0.0.1', random: Random = systemRandom): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(random.fraction() * (lastPort - firstPort + 1))
    if ((await reservePort(port)) && (await isPortFree(port, host))) return port
  }
}
