import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from '../metrics/metrics.js'
import type { Pressure } from '../pressure.js'

/** Each may hold a body of 1 MiB, and waits for what this process has a few of. More would wait longer than clients do. */
const mostAtOnce = 500

/** Refuses requests beyond what the process can hold in memory, before they are looked at. Health is answered all the same. */
export class RequestBound {
  private underWay = 0

  constructor(
    metrics: Metrics,
    private readonly pressure: Pressure,
    private readonly most = mostAtOnce,
  ) {
    const gauge = metrics.gauge({ name: 'nubo_http_requests_under_way', help: 'Requests that are being answered' })
    metrics.beforeTelling('requests', () => gauge.set(this.underWay))
  }

  /** Throws `Unavailable` for one that is too many; counts the others until their connections are done with them. */
  enter(request: FastifyRequest, reply: FastifyReply): void {
    if (request.routeOptions.config.declaration?.ofHealth) return
    if (this.underWay >= this.most) throw this.pressure.refuse({ code: 'requests', words: `${this.most} requests are under way` })
    this.underWay++
    let left = false
    const leave = () => {
      if (!left) this.underWay--
      left = true
    }
    // The second where the client went away.
    reply.raw.once('finish', leave)
    reply.raw.once('close', leave)
  }
}
