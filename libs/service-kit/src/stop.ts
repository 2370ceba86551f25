import { Server } from 'node:net'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { Clock } from '@nubo/kernel'
import type { Logger } from './logger.js'

export interface Stopping {
  app: NestFastifyApplication
  logger: Logger
  clock: Clock
  /** Told when it begins. */
  onStopping: () => void
  /** Whether clients keep connections to it for their next requests. */
  hasClients: boolean
}

/**
 * For so long clients hear, with their next answers, that the connections that they have are kept no more. One that is closed
 * just as the next request is on its way would break that off: its client could not know that it was not looked at.
 */
const partingMs = 300

/** The kernel greets so many before they are let in (Node's backlog), and would hang up on them. */
const mostAtTheDoor = 511

/** What is under way has this long to end; then connections that still hold an answer are broken off. */
const breakOffAfterMs = 7_000
/** Whoever starts us waits longer than this before it kills. */
const stopWithinMs = 10_000

/** On SIGTERM and SIGINT: ends what is under way and leaves with 0. A second signal does not wait. */
export function stopOnSignal({ app, logger, clock, onStopping, hasClients }: Stopping): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1)
    stopping = true
    const beganMs = clock.monotonicMs()
    logger.info({ signal }, 'stopping')
    clock.after(breakOffAfterMs, () => app.getHttpServer().closeAllConnections(), { background: true })
    clock.after(stopWithinMs, () => end(logger, new Error(`not stopped within ${stopWithinMs} ms`)), { background: true })
    leave({ app, clock, onStopping, hasClients }).then(
      () => {
        logger.info({ tookMs: Math.round(clock.monotonicMs() - beganMs) }, 'stopped')
        process.exit(0)
      },
      (error: unknown) => end(logger, error),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** Lets in who stands at the door: Node opens to one of them in each turn of its event loop. */
async function acceptConnected(server: Server): Promise<void> {
  let accepted = true
  const onConnection = () => (accepted = true)
  server.on('connection', onConnection)
  // The first turn may be half over.
  for (let turn = 0; turn < mostAtTheDoor && (accepted || turn < 2); turn++) {
    accepted = false
    await new Promise((resolve) => setImmediate(resolve))
  }
  server.off('connection', onConnection)
}

/** Takes on no new client, and ends what is under way. Resolves when nothing of it is left. */
export async function leave({ app, clock, onStopping, hasClients }: Omit<Stopping, 'logger'>): Promise<void> {
  onStopping()
  if (hasClients) {
    await acceptConnected(app.getHttpServer())
    // Node's own close of a server of HTTP takes the kept connections along.
    Server.prototype.close.call(app.getHttpServer())
    await clock.sleep(partingMs)
  }
  await app.close()
}

export function end(logger: Logger, error: unknown): never {
  logger.fatal({ err: error }, 'ended by an error')
  process.exit(1)
}
