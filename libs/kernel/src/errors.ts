/** What went wrong, in the terms of whoever asked. Each service maps a kind to a status and a body, once. */
export type ErrorKind =
  | 'Invalid'
  | 'Unauthenticated'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'QuotaExceeded'
  | 'TooLarge'
  | 'UnsupportedMedia'
  | 'NoCapacity'
  | 'Unavailable'
  | 'Bug'

export interface CloudErrorOptions {
  /** For the log: the error that led to this one. Never shown to a person. */
  cause?: unknown
  /** Numbers and names a program can read, logged and stored with the error. */
  details?: Record<string, unknown>
}

/** The one error type of Nubo. `message` is for the person, `cause` for the log. */
export class CloudError extends Error {
  readonly details: Record<string, unknown>

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: CloudErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CloudError'
    this.details = options.details ?? {}
  }
}

/** A broken invariant ends the work at hand, in production too. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CloudError('Bug', `Invariant broken: ${message}`)
}
