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

/** Whoever was given a port may not listen on it yet. */
const given = new Set<number>()

/**
 * A TCP port that is free just now: any one below those that the kernel gives to outgoing connections, so that nobody is
 * likely to take it before its user does. No port is given twice by one process.
 */
export async function freePort(host = '127.0.0.1', random: Random = systemRandom): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(random.fraction() * (lastPort - firstPort + 1))
    if (given.has(port)) continue
    given.add(port)
    if (await isPortFree(port, host)) return port
  }
}
