import { reportsQueue, type Report } from '@nubo/contract'
import type { Queue } from '@nubo/queue'
import type { Logger } from '@nubo/service-kit'

/**
 * Casts a report to whichever conductor takes it. One that cannot be cast is dropped: results are repeated, and the next
 * heartbeat with guests makes good what else was missed.
 * @returns whether it was cast.
 */
export type CastReport = (report: Report) => Promise<boolean>

/**
 * While no conductor takes reports, hosts do not fill Redis with them: what waits there says it all, and is older than what
 * is told when somebody listens again.
 */
const mostWaiting = 10_000

export function reportsTo(queue: Queue, logger: Logger): CastReport {
  let full = false
  return async (report) => {
    try {
      // They come regularly, so that what each of them finds holds for what else is told until the next one.
      if (report.kind === 'heartbeat') full = (await queue.depth(reportsQueue)) >= mostWaiting
      if (full && report.kind !== 'register') {
        logger.warn({ report: report.kind }, 'a report was not cast: nobody takes those that wait')
        return false
      }
      await queue.cast(reportsQueue, report)
      return true
    } catch (error) {
      logger.warn({ err: error, report: report.kind }, 'a report could not be cast')
      return false
    }
  }
}
