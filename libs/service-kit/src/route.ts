import type { Policy } from '@nubo/auth'
import type { AnswerShapes, OperationPlan } from '@nubo/wire'

/** One of the actions that a route takes in its body, by its key: `{"reboot": {...}}`. */
export interface RouteAction {
  policy: Policy
  /** Where its answer holds which shapes. */
  answers?: AnswerShapes
  /** Why this one of an `@Idempotent` route's actions takes no Idempotency-Key. */
  notIdempotent?: string
  /** See `@AddsWork`. */
  addsWork?: true
}

/** What a route declares of itself; Fastify keeps it as the route's `config`. */
export interface RouteDeclaration {
  policy?: Policy
  /** No token is asked for. */
  public?: true
  /** The name by which microversions know it: 'server.show'. */
  operation?: string
  answers?: AnswerShapes
  actions?: Readonly<Record<string, RouteAction>>
  /** The path of what was made, by the newest version's answer. */
  location?: (answer: never) => string | undefined
  /** It takes an Idempotency-Key. */
  idempotent?: { secrets: Readonly<Record<string, string>> }
  /** Why it takes none. Every POST says one or the other. */
  notIdempotent?: string
  /** The body is handed over as the stream it is. */
  streamsBody?: true
  addsWork?: true
  /** Tells how the service is. It is answered whatever else there is to do. */
  ofHealth?: true
  /** Worked out at the first request in each version. */
  plans?: OperationPlan[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    declaration?: RouteDeclaration
  }
}

/** Where Nest's Fastify adapter looks for a route's `config` (its own @RouteConfig sets it whole; ours adds to it). */
const routeConfigKey = '__fastify_route_config__'

function declare(part: Partial<RouteDeclaration>): MethodDecorator {
  return (_target, _name, descriptor: PropertyDescriptor) => {
    const config = (Reflect.getMetadata(routeConfigKey, descriptor.value) ?? {}) as { declaration?: RouteDeclaration }
    Reflect.defineMetadata(routeConfigKey, { ...config, declaration: { ...config.declaration, ...part } }, descriptor.value)
  }
}

/** Who may call this route. Every route has either this, `@Actions` or `@Public`, or the service refuses to start. */
export const Guarded = (policy: Policy): MethodDecorator => declare({ policy })

/** No token is asked for: version documents and the issuing of tokens. */
export const Public = (): MethodDecorator => declare({ public: true })

/**
 * The name by which microversions know this route, and where its newest answer holds which shapes:
 * `@Operation('server.list', { servers: ['server'] })`.
 */
export const Operation = (operation: string, answers: AnswerShapes = {}): MethodDecorator => declare({ operation, answers })

/**
 * The actions that this route takes, told apart by the one key of the body, each with its own policy. To microversions an
 * action is the operation '<operation>.<action>'. Another key is a 400, as in Nova.
 */
export const Actions = (actions: Readonly<Record<string, RouteAction>>): MethodDecorator => declare({ actions })

/**
 * Where what was made is to be found, told in the Location header: a path, by the newest version's answer;
 * `@Located(({ server }: Answer) => `/v2.1/servers/${server.id}`)`. Undefined for an answer that names nothing.
 */
export const Located = <Answer>(location: (answer: Answer) => string | undefined): MethodDecorator => declare({ location })

/**
 * A request of this route may carry an Idempotency-Key, and is then carried out once: the handler gives its service a `Once`
 * of `@CurrentRequestKey()` to write through. `secrets` names what is shown once and not kept, by the object that holds it:
 * `{ server: 'adminPass' }`.
 */
export const Idempotent = (secrets: Readonly<Record<string, string>> = {}): MethodDecorator =>
  declare({ idempotent: { secrets } })

/** This POST takes no Idempotency-Key, and `reason` says why it needs none. */
export const NotIdempotent = (reason: string): MethodDecorator => declare({ notIdempotent: reason })

/** The handler gets an application/octet-stream body as a stream, of any length. */
export const StreamsBody = (): MethodDecorator => declare({ streamsBody: true })

/** Gives the cloud something to do beyond the request itself: refused, before anything is written, while there is too much. */
export const AddsWork = (): MethodDecorator => declare({ addsWork: true })

/** A route as it is served, for tests that walk all of them. */
export interface ServedRoute {
  method: string
  url: string
  declaration: RouteDeclaration
}
