import type { Metrics } from './metrics.js'

/** How a pool of connections is used, as @nubo/database tells it. */
export interface PoolFigures {
  size: number
  inUse: number
  waiting: number
  longestWaitMs: number
}

/** Tells how the connections to PostgreSQL are used. */
export function poolMetrics(metrics: Metrics, useNow: () => PoolFigures): void {
  const connections = metrics.gauge({
    name: 'nubo_database_connections',
    help: 'Connections to PostgreSQL: those in use, those that may be open at the most',
    labels: ['state'],
  })
  const waiting = metrics.gauge({ name: 'nubo_database_waiting', help: 'Pieces of work that wait for a connection' })
  const longest = metrics.gauge({
    name: 'nubo_database_longest_wait_seconds',
    help: 'How long the first of those has been waiting for a connection',
  })
  metrics.beforeTelling('database pool', () => {
    const { size, inUse, waiting: count, longestWaitMs } = useNow()
    connections.set({ state: 'in use' }, inUse)
    connections.set({ state: 'limit' }, size)
    waiting.set(count)
    longest.set(longestWaitMs / 1000)
  })
}
