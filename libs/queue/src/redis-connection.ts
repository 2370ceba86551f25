import { Redis, type RedisOptions as ClientOptions } from 'ioredis'

export interface RedisOptions {
  host: string
  port: number
  username?: string
  password?: string
}

type OnError = (error: Error) => void

/** For what is answered at once: fails while Redis is away, as whoever casts has a record and casts again. */
export function connectProducer(redis: RedisOptions, onError: OnError, options: ClientOptions = {}): Redis {
  return connect(redis, onError, { enableOfflineQueue: false, maxRetriesPerRequest: 0, ...options })
}

/** For one command at a time that waits in Redis: it waits for Redis too. */
export function connectWaiter(redis: RedisOptions, onError: OnError, options: ClientOptions = {}): Redis {
  return connect(redis, onError, { maxRetriesPerRequest: null, ...options })
}

function connect(redis: RedisOptions, onError: OnError, options: ClientOptions): Redis {
  const client = new Redis({ ...redis, ...options, retryStrategy: (attempt) => Math.min(attempt * 50, 1000) })
  client.on('error', onError)
  return client
}

/** Hosts' users may neither ask for INFO nor name their library: Redis tells nobody more than they need. */
export const asHost: ClientOptions = { enableReadyCheck: false, disableClientInfo: true }

/** A command as Redis reads it. */
export type RedisCommand = readonly [string, ...(string | number)[]]

/**
 * Sends all of these one behind the other, without waiting in between. Throws the first error among their answers. Not by the
 * client's pipelines: on a connection that BullMQ has taught its scripts, to make one costs more than the commands do.
 */
export async function sendInOrder(redis: Redis, commands: readonly RedisCommand[]): Promise<unknown[]> {
  return await Promise.all(commands.map(([name, ...values]) => redis.call(name, ...values)))
}
