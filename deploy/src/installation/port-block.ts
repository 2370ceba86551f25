/** The services that listen, in the order of their ports. */
export const listeners = ['api', 'image', 'conductor', 'scheduler', 'apiMetrics', 'imageMetrics', 'redis'] as const
export type Listener = (typeof listeners)[number]
export type Ports = Record<Listener, number>

const firstPort = 8700
const blocks = Math.floor(300 / listeners.length)

/** How ports are looked at and kept. */
export interface PortKeeper {
  isFree(port: number): Promise<boolean>
  /** Keeps a block, by its first port, from others who choose now: nobody listens there yet. False where another has it. */
  reserve(port: number): Promise<boolean>
}

/**
 * Neighbouring ports from 8700-8999, one for each listener, all of which are free: the first such block from a place that
 * the installation's id gives. Undefined where there is none.
 */
export async function choosePorts(installationId: string, { isFree, reserve }: PortKeeper): Promise<Ports | undefined> {
  const begin = parseInt(installationId, 16) % blocks
  for (let i = 0; i < blocks; i++) {
    const base = firstPort + ((begin + i) % blocks) * listeners.length
    const ports = Object.fromEntries(listeners.map((name, offset) => [name, base + offset])) as Ports
    const free = await Promise.all(Object.values(ports).map(isFree))
    if (free.every(Boolean) && (await reserve(base))) return ports
  }
  return undefined
}
