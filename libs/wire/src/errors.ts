import { CloudError, type CloudErrorOptions, type ErrorKind } from '@nubo/kernel'
import type { InputError } from './input-error.js'

/** An error whose HTTP status no `ErrorKind` names: 405, 406, 410, 429. For the edge only; use cases throw `CloudError`. */
export class WireError extends CloudError {
  constructor(
    readonly status: number,
    message: string,
    options: CloudErrorOptions & { headers?: Record<string, string> } = {},
  ) {
    super(status >= 500 ? 'Unavailable' : 'Invalid', message, options)
    this.headers = options.headers ?? {}
  }

  readonly headers: Record<string, string>
}

/** What went wrong with a request, ready to be dressed as one service's body. */
export interface Fault {
  status: number
  message: string
  headers: Record<string, string>
  /** True where the request had no valid token: the middleware in front of the real services answers, not the service. */
  unauthenticated: boolean
  /** The name of the real service's exception, where its clients go by it: `type` of the error's details. */
  type?: string
}

/** What a style needs to know of the request it answers. */
export interface FaultedRequest {
  requestId: string
  /** The Accept header: WebOb's own errors follow it. */
  accept: string | undefined
  /** Where tokens are got, for WWW-Authenticate. */
  identityUrl: string
  /** What the real services' routers and middleware answer (unknown paths, bodies too large) comes in a form of their own. */
  unrouted: boolean
}

export interface RenderedError {
  status: number
  contentType: string
  headers: Record<string, string>
  /** Text, ready to be sent. */
  body: string
}

/** Why a request's body could not be taken. */
export type BodyProblem = 'syntax' | 'not-an-object' | 'media-type'

/** How one of OpenStack's services words and shapes its errors. */
export interface ErrorStyle {
  readonly statuses: Readonly<Record<ErrorKind, number>>
  render(fault: Fault, request: FaultedRequest): RenderedError
  /** The error of a body that is not what the service reads; undefined where the service takes such a body all the same. */
  body(problem: BodyProblem): CloudError | undefined
  /** The words for input that broke a schema. */
  input(error: InputError): string
  /** The words for a policy that said no. */
  denied(policy: string): string
  /** What a person is told of a defect of ours: never its cause. */
  bug(requestId: string): string
}

/** The statuses that the services agree on. QuotaExceeded and NoCapacity are where they do not. */
export const commonStatuses = {
  Invalid: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  QuotaExceeded: 403,
  TooLarge: 413,
  UnsupportedMedia: 415,
  NoCapacity: 400,
  Unavailable: 503,
  Bug: 500,
} as const satisfies Record<ErrorKind, number>

/** A fault as `style` sees `error`. Whatever is not a CloudError is a defect, and shows nothing of itself. */
export function faultOf(error: unknown, style: Pick<ErrorStyle, 'statuses' | 'bug'>, requestId: string): Fault {
  if (!(error instanceof CloudError) || error.kind === 'Bug')
    return { status: 500, message: style.bug(requestId), headers: {}, unauthenticated: false }
  const status = error instanceof WireError ? error.status : style.statuses[error.kind]
  const headers = error instanceof WireError ? { ...error.headers } : {}
  const retryAfterSeconds = error.details['retryAfterSeconds']
  if (typeof retryAfterSeconds === 'number') headers['Retry-After'] = String(retryAfterSeconds)
  const type = error.details['type']
  const named = typeof type === 'string' ? { type } : {}
  return { status, message: error.message, headers, unauthenticated: error.kind === 'Unauthenticated', ...named }
}
