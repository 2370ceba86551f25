import type { Metrics } from './metrics.js'

const bounds = [0.005, 0.025, 0.1, 0.5, 2.5, 10]

/** Told of what goes through a queue: of the kind that @nubo/queue tells. */
export interface QueueFigures {
  cast(queue: string, messages: number, gotThrough: boolean): void
  handled(queue: string, seconds: number, wentWell: boolean): void
}

/** One label for the queues of all hosts: there is one a host, and hosts come and go. */
const kindOf = (queue: string) => (queue.startsWith('compute-') ? 'compute' : queue)

export function queueMetrics(metrics: Metrics): QueueFigures {
  const casts = metrics.counter({
    name: 'nubo_messages_cast_total',
    help: 'Messages given to the queue; those that failed never reached it, and whoever needs them casts again',
    labels: ['queue', 'outcome'],
  })
  const handled = metrics.histogram({
    name: 'nubo_message_duration_seconds',
    help: 'How long messages that were taken from the queue were worked on',
    labels: ['queue', 'outcome'],
    bounds,
  })
  return {
    cast: (queue, messages, gotThrough) => casts.inc({ queue: kindOf(queue), outcome: gotThrough ? 'cast' : 'failed' }, messages),
    handled: (queue, seconds, wentWell) =>
      handled.observe({ queue: kindOf(queue), outcome: wentWell ? 'done' : 'failed' }, seconds),
  }
}
