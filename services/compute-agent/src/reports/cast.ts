import { reportsQueue, type Report } from '@nubo/contract'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'

/**
 * Casts a report to whichever conductor takes it. One that cannot be cast is dropped: results are repeated, and the next
 * heartbeat with guests makes good what else was missed. The queue itself bounds what waits while no conductor takes it.
 * @returns whether it was cast.
 */
export type CastReport = (report: Report) => Promise<boolean>

export function reportsTo(queue: Queue, logger: Logger): CastReport {
  return async (report) => {
    try {
      await queue.cast(reportsQueue, report)
      return true
    } catch (error) {
      logger.warn({ err: error, report: report.kind }, 'a report could not be cast')
      return false
    }
  }
}
