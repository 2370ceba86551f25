import type { Caller } from '@nubo/auth'
import type { RequestKey } from '@nubo/kernel'
import type { OperationPlan } from '@nubo/wire'
import type { FastifyInstance } from 'fastify'
import type { LogFields } from '../context.js'
import type { Surface } from '../surface.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** 'req-<uuid>', new for every request. */
    requestId: string
    surface: Surface | undefined
    /** Who asks; undefined on public routes alone. */
    caller: Caller | undefined
    /** Minor number of the version this request speaks; undefined where its surface has none. */
    microversion: number | undefined
    plan: OperationPlan | undefined
    /** Undefined unless the client gave an Idempotency-Key to a route that takes one. */
    requestKey: RequestKey | undefined
    /** Work for the cloud that is still to be let in: its key is looked up first. */
    addsWork: boolean
    fields: LogFields
    /** What the response is logged with. */
    failure: string | undefined
  }
}

/** Gives every request one shape from the start, which is what keeps property access fast. */
export function decorateRequests(instance: FastifyInstance): void {
  instance.decorateRequest('requestId', '')
  instance.decorateRequest('surface', undefined)
  instance.decorateRequest('caller', undefined)
  instance.decorateRequest('microversion', undefined)
  instance.decorateRequest('plan', undefined)
  instance.decorateRequest('requestKey', undefined)
  instance.decorateRequest('addsWork', false)
  // Set by the first hook; a reference type cannot be a decorator's value.
  instance.decorateRequest('fields', null as never)
  instance.decorateRequest('failure', undefined)
}
