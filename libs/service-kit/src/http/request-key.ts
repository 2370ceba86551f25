import { createHash, createHmac } from 'node:crypto'
import type { Caller } from '@nubo/auth'
import { CloudError, type KeptAnswer, type RequestKey } from '@nubo/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringify } from 'safe-stable-stringify'
import type { RouteDeclaration } from '../route.js'

/** What becomes of a handler's answer on its way out. */
export interface Finish {
  locate: (answer: unknown) => string | undefined
  /** To the microversion that was asked for, in place. */
  downgrade: (answer: unknown) => void
}

/** Visible ASCII without spaces: a header that was sent twice, which Node joins with ', ', is no key. */
const wellFormed = /^[\x21-\x7e]{1,255}$/

/**
 * The key of a request that its client may repeat; undefined where it gave none, or where the route takes none. To be asked
 * for before the body is brought up to the newest microversion. Throws Invalid for what is no key.
 */
export function requestKeyOf(request: FastifyRequest, reply: FastifyReply, finish: Finish): RequestKey | undefined {
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
    answerTo: (body) => {
      // Nest has set the status of the route before its handler runs.
      const status = request.plan?.status ?? reply.statusCode
      return { status, ...answerOf(body, declaration.idempotent!.secrets, finish) }
    },
  }
}

function takesKeys(declaration: RouteDeclaration | undefined, body: unknown): declaration is RouteDeclaration {
  if (!declaration?.idempotent) return false
  const [action] = declaration.actions ? Object.keys(body as object) : []
  return action === undefined || declaration.actions![action]!.notIdempotent === undefined
}

function scopeOf({ scope }: Caller): string {
  switch (scope.kind) {
    case 'project':
      return `project:${scope.projectId}`
    case 'domain':
      return `domain:${scope.domainId}`
    default:
      return scope.kind
  }
}

/**
 * Of the path, the microversion and the body as it was sent, whatever the order of its keys. The key goes into it as the
 * secret: a body may hold a password, and who reads the row must not be able to try passwords against it.
 */
function digestOf(request: FastifyRequest, key: string): string {
  const said = { path: request.url, microversion: request.microversion, body: request.body }
  return createHmac('sha256', key).update(stringify(said)!).digest('base64url')
}

function answerOf(body: unknown, secrets: Readonly<Record<string, string>>, finish: Finish): Omit<KeptAnswer, 'status'> {
  if (body === undefined) return { location: null, body: null }
  const location = finish.locate(body) ?? null
  for (const [name, secret] of Object.entries(secrets)) omit((body as Fields)[name], secret)
  finish.downgrade(body)
  return { location, body }
}

type Fields = Record<string, unknown>

function omit(fields: unknown, name: string): void {
  if (typeof fields === 'object' && fields !== null) delete (fields as Fields)[name]
}
