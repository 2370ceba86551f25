import { CloudError } from '@nubo/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics/metrics.js'
import type { Pressure } from '../pressure.js'

/** Each may hold a body of 1 MiB, and waits for what this process has a few of. More would wait longer than clients do. */
const mostAtOnce = 500
/**
 * Of the room that is free one asker may hold so many times as much: three quarters of all where it is alone, 3/7 where another
 * does the same. Some is always left for who has none, so that whoever sends or reads a byte a minute keeps nobody from being heard.
 *
 * @see Choudhury and Hahne, Dynamic queue length thresholds for shared-memory packet switches, IEEE/ACM ToN 6 (1998)
 */
const timesTheFree = 3
const retryAfterSeconds = 1

/** What a request takes of the room, until its connection is done with it. */
export interface Place {
  /** Counts it for `asker`. Throws `Unavailable` where that one has its share already. */
  takeFor(asker: string): void
}

/** For what is answered whatever else there is to do. */
const noPlace: Place = { takeFor: () => undefined }

/** Refuses requests beyond what the process can hold in memory, before they are looked at. Health is answered all the same. */
export class RequestBound {
  private underWay = 0
  private readonly shares = new Map<string, number>()

  constructor(
    metrics: Metrics,
    private readonly pressure: Pressure,
    private readonly most = mostAtOnce,
  ) {
    const gauge = metrics.gauge({ name: 'nubo_http_requests_under_way', help: 'Requests that are being answered' })
    metrics.beforeTelling('requests', () => gauge.set(this.underWay))
  }

  /** Throws `Unavailable` for one that is too many; counts the others until their connections are done with them. */
  enter(request: FastifyRequest, reply: FastifyReply): Place {
    if (request.routeOptions.config.declaration?.ofHealth) return noPlace
    if (this.underWay >= this.most) throw this.pressure.refuse({ code: 'requests', words: `${this.most} requests are under way` })
    this.underWay++
    let left = false
    let takenFor: string | undefined
    const leave = () => {
      if (left) return
      left = true
      this.underWay--
      if (takenFor !== undefined) this.giveBack(takenFor)
    }
    // The second where the client went away.
    reply.raw.once('finish', leave)
    reply.raw.once('close', leave)
    return {
      takeFor: (asker) => {
        if (left) return
        this.take(asker)
        takenFor = asker
      },
    }
  }

  private take(asker: string): void {
    const taken = this.shares.get(asker) ?? 0
    // What was free before this request came in.
    const free = this.most - this.underWay + 1
    if (taken >= timesTheFree * free) {
      this.pressure.noteRefusal('share')
      throw tooManyOfOne(taken)
    }
    this.shares.set(asker, taken + 1)
  }

  private giveBack(asker: string): void {
    const taken = this.shares.get(asker)! - 1
    if (taken === 0) this.shares.delete(asker)
    else this.shares.set(asker, taken)
  }
}

const tooManyOfOne = (taken: number) =>
  new CloudError('Unavailable', `${taken} requests of yours are being answered already. Try again when some of them are.`, {
    details: { retryAfterSeconds },
  })
