import { enforce, type Caller, type Target, type TokenVerifier } from '@nubo/auth'
import { CloudError, newId, type Clock, type Random } from '@nubo/kernel'
import {
  absentInVersion,
  baseUrl,
  VersionNotSupported,
  versionHeaders,
  type MicroversionRegistry,
  type OperationPlan,
} from '@nubo/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { enterLogFields } from '../context.js'
import type { KeptAnswers } from '../kept-answers.js'
import type { Logger } from '../logger.js'
import type { Pressure } from '../pressure.js'
import type { RouteDeclaration } from '../route.js'
import { arrivalOf, surfaceFor, type Surface } from '../surface.js'
import type { KeyBound } from './key-bound.js'
import { installReplay } from './replay.js'
import { requestKeyOf } from './request-key.js'
import type { RequestBound } from './request-bound.js'
import { decorateRequests } from './request.js'

export interface HookDependencies {
  surfaces: readonly Surface[]
  /** Undefined for a service whose every route is public. */
  verifier: TokenVerifier | undefined
  /** Asked for by idempotent routes alone. */
  answers: () => KeptAnswers
  keyBound: KeyBound
  logger: Logger
  clock: Clock
  random: Random
  lifecycle: Lifecycle
  pressure: Pressure
  bound: RequestBound
}

/** Whether this service is on its way out. */
export interface Lifecycle {
  stopping: boolean
}

const clientRequestId = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const noDeclaration: RouteDeclaration = {}

/**
 * Request id, token, policy and microversion as Fastify hooks: they are the same for every route, so nothing of them is
 * built per request, and an unauthenticated body is not even read.
 */
export function installHooks(instance: FastifyInstance, dependencies: HookDependencies): void {
  decorateRequests(instance)
  instance.addHook('onRequest', (request, reply, done) => {
    begin(request, reply, dependencies)
    enterLogFields(request.fields, () => admit(request, reply, dependencies, done))
  })
  // Reading a body leaves the request's own context; here the handler's begins.
  instance.addHook('preValidation', (request, reply, done) => {
    enterLogFields(request.fields, () => {
      try {
        chooseAction(request, dependencies.pressure)
        request.requestKey = requestKeyOf(request, reply, {
          locate: (body) => locationOf(request, body),
          downgrade: (body) => downgrade(request, body),
        })
        if (request.addsWork && !request.requestKey) dependencies.pressure.assertRoom()
        upgrade(request)
        done()
      } catch (error) {
        done(error as Error)
      }
    })
  })
  installReplay(instance, dependencies)
  instance.addHook('preSerialization', (request, reply, payload, done) => {
    try {
      if (reply.statusCode < 300) {
        const location = locationOf(request, payload)
        if (location !== undefined) reply.header('Location', location)
        downgrade(request, payload)
      }
      done(null, payload)
    } catch (error) {
      done(error as Error)
    }
  })
  instance.addHook('onSend', (request, reply, payload, done) => {
    // A connection that is kept for a next request would keep the service.
    if (dependencies.lifecycle.stopping) reply.header('Connection', 'close')
    const status = request.plan?.status
    if (status !== undefined && reply.statusCode < 300) reply.code(status)
    done(null, payload)
  })
  instance.addHook('onResponse', (request, reply, done) => {
    logResponse(request, reply, dependencies.logger)
    done()
  })
}

function begin(request: FastifyRequest, reply: FastifyReply, { surfaces, random }: HookDependencies): void {
  request.requestId = `req-${newId(random)}`
  request.fields = { requestId: request.requestId }
  const given = request.headers['x-openstack-request-id']
  if (typeof given === 'string' && clientRequestId.test(given)) request.fields.globalRequestId = given
  // An empty Content-Type is none, to the real services as to us; Fastify would refuse it.
  if (request.headers['content-type'] === '') delete request.headers['content-type']
  request.surface = surfaceFor(surfaces, request.url)
  reply.header('X-Openstack-Request-Id', request.requestId)
  for (const name of request.surface?.requestIdHeaders ?? []) reply.header(name, request.requestId)
  if (request.surface?.headers) reply.headers(request.surface.headers)
}

/** PostgreSQL's text cannot hold it, and no name or id of OpenStack's does. */
const refuseNul = (url: string) => {
  if (url.includes('%00')) throw new CloudError('Invalid', 'The URL holds a NUL character.')
}

/** Token, microversion, policy, in the order in which the real services check them. */
function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { verifier, pressure, bound }: HookDependencies,
  done: (error?: Error) => void,
): void {
  try {
    const place = bound.enter(request, reply)
    refuseNul(request.url)
    const declaration = request.routeOptions.config.declaration ?? noDeclaration
    if (declaration.public || (request.is404 && !request.surface?.guardsUnknownPaths)) {
      place.takeFor(`address:${request.ip}`)
      negotiate(request, reply, declaration)
      return done()
    }
    const token = request.headers['x-auth-token']
    if (typeof token !== 'string' || token === '' || !verifier) throw missingToken()
    const verified = verifier.verify(token)
    const proceed = (caller: Caller) => {
      place.takeFor(askerOf(caller))
      request.caller = caller
      request.fields.userId = caller.userId
      if (caller.scope.kind === 'project') request.fields.projectId = caller.scope.projectId
      negotiate(request, reply, declaration)
      if (declaration.policy) enforce(declaration.policy, caller, request.params as Target)
      if (declaration.addsWork) addWork(request, pressure)
    }
    if (verified instanceof Promise) verified.then(proceed).then(() => done(), done)
    else {
      proceed(verified)
      done()
    }
  } catch (error) {
    done(error as Error)
  }
}

/** Who shares in what is answered at once: a project, whichever of its users asks; else the user. */
const askerOf = ({ scope, userId }: Caller) => (scope.kind === 'project' ? `project:${scope.projectId}` : `user:${userId}`)

const missingToken = () => new CloudError('Unauthenticated', 'The request you have made requires authentication.')

function negotiate(request: FastifyRequest, reply: FastifyReply, declaration: RouteDeclaration): void {
  const registry = request.surface?.microversions
  if (!registry || request.is404) return
  if (arrivalOf(request.raw).former) request.microversion = registry.range.minimum
  else request.microversion = askedVersion(request, reply, registry)
  if (declaration.operation === undefined) return
  declaration.plans ??= []
  const plan = (declaration.plans[request.microversion] ??= registry.plan(
    declaration.operation,
    declaration.answers ?? {},
    request.microversion,
  ))
  take(request, plan)
}

/** The minor version that the headers of `request` ask for; the answer's say which it was, or which are there. */
function askedVersion(request: FastifyRequest, reply: FastifyReply, registry: MicroversionRegistry): number {
  try {
    const minor = registry.negotiate(request.headers)
    reply.headers(registry.headersOf(minor))
    return minor
  } catch (error) {
    if (error instanceof VersionNotSupported) reply.headers(versionHeaders(error.version, registry.range))
    throw error
  }
}

function take(request: FastifyRequest, plan: OperationPlan): void {
  if (!plan.available) throw absentInVersion()
  request.plan = plan
}

/** Finds the action that the body names, checks its policy and takes its plan. */
function chooseAction(request: FastifyRequest, pressure: Pressure): void {
  const declaration = request.routeOptions.config.declaration
  if (!declaration?.actions) return
  const { body, caller, surface, microversion } = request
  const names = body !== null && typeof body === 'object' && !Array.isArray(body) ? Object.keys(body) : []
  if (names.length !== 1) throw new CloudError('Invalid', 'Malformed request body')
  const name = names[0]!
  const action = Object.hasOwn(declaration.actions, name) ? declaration.actions[name] : undefined
  if (!action) throw new CloudError('Invalid', `There is no such action: ${name}`)
  if (surface?.microversions && microversion !== undefined)
    take(request, surface.microversions.plan(`${declaration.operation}.${name}`, action.answers ?? {}, microversion))
  enforce(action.policy, caller!, request.params as Target)
  if (action.addsWork) addWork(request, pressure)
}

/** What may be a repetition is looked up before it is refused: it adds nothing then. */
function addWork(request: FastifyRequest, pressure: Pressure): void {
  if (request.headers['idempotency-key'] === undefined) pressure.assertRoom()
  else request.addsWork = true
}

function upgrade(request: FastifyRequest): void {
  if (!request.plan?.upgrade) return
  const upgrading = { body: request.body, query: request.query as Record<string, unknown> }
  request.plan.upgrade(upgrading)
  request.body = upgrading.body
}

function locationOf(request: FastifyRequest, answer: unknown): string | undefined {
  const path = request.routeOptions.config.declaration?.location?.(answer as never)
  return path === undefined ? undefined : baseUrlOf(request) + path
}

function downgrade(request: FastifyRequest, payload: unknown): void {
  request.plan?.downgrade?.(payload, {
    baseUrl: baseUrlOf(request),
    operation: request.routeOptions.config.declaration!.operation!,
    parameters: request.params as Record<string, string>,
  })
}

/** `http://host:port`, and the mount if there is one, as the client of `request` knows us. */
export function baseUrlOf(request: FastifyRequest): string {
  const origin = baseUrl({ headers: request.headers, protocol: request.protocol }, request.surface?.identityUrl ?? '')
  return origin + arrivalOf(request.raw).mount
}

/** Requests that change something are a line each; those that read are there for the curious. */
function logResponse(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const level = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS' ? 'debug' : 'info'
  if (!logger.isLevelEnabled(level)) return
  const path = request.url.split('?', 1)[0]
  logger[level](
    {
      ...request.fields,
      method: request.method,
      path,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      ...(request.failure !== undefined && { failure: request.failure }),
    },
    'request',
  )
}
