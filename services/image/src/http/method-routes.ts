import { anyCaller, policy } from '@nubo/auth'
import { WireError } from '@nubo/wire'
import type { FastifyInstance } from 'fastify'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

const tryMethod = policy('try_method', 'Hear which methods a path has', anyCaller)

/** Glance answers 405 with the methods that a path has, where Fastify knows no such route (`wsgi.RejectMethodController`). */
export class MethodRoutes {
  private readonly served = new Map<string, Set<string>>()

  /** Notes the routes to come below `prefix`. */
  watch(instance: FastifyInstance, prefix: string): void {
    instance.addHook('onRoute', ({ url, method }) => {
      if (!url.startsWith(prefix)) return
      const known = this.served.get(url) ?? new Set<string>()
      for (const name of [method].flat()) known.add(name)
      this.served.set(url, known)
    })
  }

  /** Adds the missing methods of the routes noted so far. */
  refuseOthers(instance: FastifyInstance): void {
    for (const [url, served] of [...this.served]) {
      const missing = methods.filter((method) => !served.has(method))
      const headers = { Allow: methods.filter((method) => served.has(method)).join(', ') }
      const refuse = (method: string) => new WireError(405, `The method ${method} is not allowed for this resource.`, { headers })
      instance.route({
        method: missing,
        url,
        config: { declaration: { policy: tryMethod, notIdempotent: 'It is refused.' } },
        // Before the body is read: whatever it holds, the method is wrong.
        preParsing: (request, _reply, _payload, done) => done(refuse(request.method)),
        handler: (request) => {
          throw refuse(request.method)
        },
      })
    }
  }
}
