import type { ServerCommand } from '@nubo/contract'
import type { Metrics } from '@nubo/service-kit'
import type { CacheUse } from './images/image-cache.js'
import type { Outcome } from './journal.js'

/** Told what an agent does. */
export interface AgentFigures {
  commandEnded(command: ServerCommand, outcome: Outcome): void
  /** An image was asked for: it was there, came, or did not. */
  imageAsked(outcome: 'there' | 'fetched' | 'failed'): void
  /** A guest asked for its metadata. */
  metadataAnswered(status: number, seconds: number): void
  /** `use` is asked for when somebody looks. */
  tellOfCache(use: () => Promise<CacheUse>): void
}

export function agentFigures(metrics: Metrics): AgentFigures {
  const commands = metrics.counter({
    name: 'nubo_commands_total',
    help: 'Commands that ended on this host, by what a failure calls for',
    labels: ['command', 'outcome'],
  })
  const asked = metrics.counter({
    name: 'nubo_image_cache_requests_total',
    help: 'Images that guests needed: there already, fetched, or failed',
    labels: ['outcome'],
  })
  const images = metrics.gauge({ name: 'nubo_image_cache_images', help: 'Images in the cache of this host' })
  const bytes = metrics.gauge({ name: 'nubo_image_cache_bytes', help: 'What they take of its disk' })
  const metadata = metrics.histogram({
    name: 'nubo_metadata_duration_seconds',
    help: 'How long guests of this host waited for their metadata, by the status of the answer',
    labels: ['status'],
    bounds: [0.001, 0.005, 0.02, 0.1, 1],
  })
  return {
    metadataAnswered: (status, seconds) => metadata.observe({ status: String(status) }, seconds),
    commandEnded: ({ kind }, outcome) =>
      commands.inc({ command: kind, outcome: outcome.state === 'done' ? 'done' : outcome.failure.scope }),
    imageAsked: (outcome) => asked.inc({ outcome }),
    tellOfCache: (use) =>
      metrics.beforeTelling('image cache', async () => {
        const now = await use()
        images.set(now.images)
        bytes.set(now.bytes)
      }),
  }
}
