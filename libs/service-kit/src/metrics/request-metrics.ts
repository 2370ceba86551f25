import type { FastifyInstance } from 'fastify'
import type { Metrics } from './metrics.js'

const bounds = [0.005, 0.025, 0.1, 0.5, 2.5, 10]
/** Of what is asked for at paths that are no route: any client can make up as many as it likes. */
const noRoute = 'none'

/** Counts and times requests by the template of their route, never by their path: that holds ids. */
export function measureRequests(instance: FastifyInstance, metrics: Metrics): void {
  const durations = metrics.histogram({
    name: 'nubo_http_request_duration_seconds',
    help: 'From the head of a request to the last byte of its answer',
    labels: ['method', 'route', 'status'],
    bounds,
  })
  instance.addHook('onResponse', (request, reply, done) => {
    const { config, url } = request.routeOptions
    if (!config.declaration?.ofHealth) {
      const route = request.is404 ? noRoute : (url ?? noRoute)
      durations.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    }
    done()
  })
}
