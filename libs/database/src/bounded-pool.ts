import { CloudError, type Clock } from '@nubo/kernel'
import pg from 'pg'

/** How a pool's connections are used, and by how many more. */
export interface PoolUse {
  /** Connections that may be open at the most. */
  size: number
  inUse: number
  /** Pieces of work that wait for a connection. */
  waiting: number
  /** How long the first of them has been waiting, in ms; 0 while nobody waits. */
  longestWaitMs: number
}

/** As many may wait as get their turn within the time for which one waits, by far: more would only fill the memory. */
const waitingPerConnection = 50

type Done = (release?: unknown) => void
type Callback = (error: Error | undefined, client: pg.PoolClient | undefined, done: Done) => void

/**
 * The pool, with an end to its queue. `pg` lets any number wait for a connection, each for as long as
 * `connectionTimeoutMillis`; here who comes when too many wait already is refused at once, with `Unavailable`.
 */
export class BoundedPool extends pg.Pool {
  private readonly mostWaiting: number
  /** When each of those that wait began to, in the order in which they came. */
  private readonly since = new Set<{ ms: number }>()

  constructor(
    private readonly limits: pg.PoolConfig & { max: number },
    private readonly clock: Clock,
  ) {
    super(limits)
    this.mostWaiting = limits.max * waitingPerConnection
  }

  get use(): PoolUse {
    const [first] = this.since
    return {
      size: this.limits.max,
      inUse: this.totalCount - this.idleCount,
      waiting: this.waitingCount,
      longestWaitMs: first ? this.clock.monotonicMs() - first.ms : 0,
    }
  }

  // Everything comes by here: statements, transactions, and Prisma's.
  override connect(): Promise<pg.PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<pg.PoolClient> | void {
    if (this.waitingCount >= this.mostWaiting) {
      const refusal = databaseBusy()
      return callback ? callback(refusal, undefined, () => undefined) : Promise.reject(refusal)
    }
    const began = { ms: this.clock.monotonicMs() }
    this.since.add(began)
    if (!callback) return super.connect().finally(() => this.since.delete(began))
    super.connect((error, client, done) => {
      this.since.delete(began)
      callback(error, client, done)
    })
  }
}

function databaseBusy(): CloudError {
  return new CloudError('Unavailable', 'The database has more to do than it can at the moment. Try again shortly.', {
    details: { retryAfterSeconds: 2 },
  })
}
