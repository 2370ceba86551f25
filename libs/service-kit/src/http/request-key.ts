import { createHash, createHmac } from 'node:crypto'
import type { Caller, Scope } from '@nubo/auth'
import { CloudError, type KeptAnswer, type RequestKey } from '@nubo/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringify } from 'safe-stable-stringify'
import type { RouteDeclaration } from '../route.js'

/** Visible ASCII without spaces: a header that was sent twice, which Node joins with ', ', is no key. */
const wellFormed = /^[\x21-\x7e]{1,255}$/

/**
 * The key of a request that its client may repeat; undefined where it gave none, or where the route takes none. To be asked
 * for before the body is brought up to the newest microversion. Throws Invalid for what is no key.
 */
export function requestKeyOf(
  request: FastifyRequest,
  reply: FastifyReply,
  downgrade: (body: unknown) => void,
): RequestKey | undefined {
  const given = request.headers['idempotency-key']
  const { declaration } = request.routeOptions.config
  if (given === undefined || !request.caller || !takesKeys(declaration, request.body)) return undefined
  if (typeof given !== 'string' || !wellFormed.test(given))
    throw new CloudError('Invalid', 'An Idempotency-Key is 1 to 255 visible ASCII characters without spaces.')
  return {
    scope: scopeOf(request.caller),
    userId: request.caller.userId,
    route: `${request.method} ${request.routeOptions.url}`,
    keyDigest: createHash('sha256').update(given).digest('base64url'),
    requestDigest: digestOf(request, given),
    answerTo: (body) => answerTo(body, { request, reply, declaration: declaration!, downgrade }),
  }
}

function takesKeys(declaration: RouteDeclaration | undefined, body: unknown): declaration is RouteDeclaration {
  if (!declaration?.idempotent) return false
  const [action] = declaration.actions ? Object.keys(body as object) : []
  return action === undefined || declaration.actions![action]!.notIdempotent === undefined
}

function scopeOf({ scope }: Caller): string {
  const ids: { [Kind in Scope['kind']]: (scope: Extract<Scope, { kind: Kind }>) => string } = {
    project: ({ projectId }) => `project:${projectId}`,
    domain: ({ domainId }) => `domain:${domainId}`,
    system: () => 'system',
    unscoped: () => 'unscoped',
  }
  return (ids[scope.kind] as (scope: Scope) => string)(scope)
}

/**
 * Of the path, the microversion and the body as it was sent, whatever the order of its keys. The key goes into it as the
 * secret: a body may hold a password, and who reads the row must not be able to try passwords against it.
 */
function digestOf(request: FastifyRequest, key: string): string {
  const said = { path: request.url, microversion: request.microversion, body: request.body }
  return createHmac('sha256', key).update(canonical(said)).digest('base64url')
}

function canonical(value: unknown): string {
  try {
    return stringify(value)!
  } catch (error) {
    // The stack is at its end: JSON.parse goes deeper than whoever walks what it made.
    if (error instanceof RangeError) throw new CloudError('Invalid', 'The request body is nested too deeply.', { cause: error })
    throw error
  }
}

interface Answering {
  request: FastifyRequest
  reply: FastifyReply
  declaration: RouteDeclaration
  downgrade: (body: unknown) => void
}

function answerTo(body: unknown, { request, reply, declaration, downgrade }: Answering): KeptAnswer {
  const location = reply.getHeader('location')
  if (body !== undefined) {
    for (const [name, secret] of Object.entries(declaration.idempotent!.secrets)) omit((body as Fields)[name], secret)
    downgrade(body)
  }
  return {
    // Nest has set the status of the route before its handler runs.
    status: request.plan?.status ?? reply.statusCode,
    location: typeof location === 'string' ? location : null,
    body: body ?? null,
  }
}

type Fields = Record<string, unknown>

function omit(fields: unknown, name: string): void {
  if (typeof fields === 'object' && fields !== null) delete (fields as Fields)[name]
}
