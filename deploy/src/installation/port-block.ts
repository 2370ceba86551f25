/** The services that listen, in the order of their ports. */
export const listeners = ['api', 'image', 'conductor', 'scheduler', 'apiMetrics', 'imageMetrics', 'redis'] as const
export type Listener = (typeof listeners)[number]
export type Ports = Record<Listener, number>

const firstPort = 8700
const blocks = Math.floor(300 / listeners.length)

/**
 * Neighbouring ports from 8700-8999, one for each listener, all of which `isFree`: the first such block from a place that
 * the installation's id gives. Undefined where there is none.
 */
export async function choosePorts(
  installationId: string,
  isFree: (port: number) => Promise<boolean>,
): Promise<Ports | undefined> {
  const begin = parseInt(installationId, 16) % blocks
  for (let i = 0; i < blocks; i++) {
    const base = firstPort + ((begin + i) % blocks) * listeners.length
    const ports = Object.fromEntries(listeners.map((name, offset) => [name, base + offset])) as Ports
    const free = await Promise.all(Object.values(ports).map(isFree))
    if (free.every(Boolean)) return ports
  }
  return undefined
}
