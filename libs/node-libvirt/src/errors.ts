import { ErrorCode, ErrorDomain, nameOf } from './protocol/constants.js'
import type { WireError } from './protocol/types.js'

/**
 * What is known of a call that did not succeed:
 * - `failed`: libvirt answered with an error.
 * - `not-sent`: it never left this process, so nothing has happened.
 * - `unknown`: it left, and no answer came. It may have happened, may be happening, or may still happen.
 */
export type Outcome = 'failed' | 'not-sent' | 'unknown'

/** Every error that this library rejects with has one of these shapes. */
export abstract class LibvirtClientError extends Error {
  abstract readonly outcome: Outcome
}

/** libvirt's own answer: virError, field by field. */
export class LibvirtError extends LibvirtClientError {
  override readonly name = 'LibvirtError'
  override readonly outcome = 'failed'
  /** One of `ErrorCode`, or a newer one. */
  readonly code: number
  /** The part of libvirt that raised it: one of `ErrorDomain`, or a newer one. */
  readonly domain: number
  /** 1 warning, 2 error. */
  readonly level: number
  /** str1 to str3. */
  readonly strings: readonly (string | undefined)[]
  /** int1 and int2. */
  readonly ints: readonly number[]
  /** The call that it answers, as `calls` names it. */
  readonly call: string

  constructor(call: string, error: WireError) {
    super(error.message ?? `libvirt error ${error.code}`)
    this.call = call
    this.code = error.code
    this.domain = error.domain
    this.level = error.level
    this.strings = [error.string1, error.string2, error.string3]
    this.ints = [error.int1, error.int2]
  }

  /** For logs: `NoDomain` for 42. */
  get codeName(): string {
    return nameOf(ErrorCode, this.code)
  }

  /** For logs: `Qemu` for 10. */
  get domainName(): string {
    return nameOf(ErrorDomain, this.domain)
  }
}

/** There is no connection, or it died before the answer came. */
export class LibvirtConnectionError extends LibvirtClientError {
  override readonly name = 'LibvirtConnectionError'
  readonly outcome: 'not-sent' | 'unknown'

  constructor(message: string, outcome: 'not-sent' | 'unknown', options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}

/** No answer came in time. Not a failure: see `outcome`. */
export class LibvirtDeadlineError extends LibvirtClientError {
  override readonly name = 'LibvirtDeadlineError'
  readonly outcome: 'not-sent' | 'unknown'
  readonly timeoutMs: number

  constructor(call: string, timeoutMs: number, outcome: 'not-sent' | 'unknown') {
    super(
      outcome === 'unknown'
        ? `${call}: no answer within ${timeoutMs} ms; whether it took effect is unknown`
        : `${call}: could not be sent within ${timeoutMs} ms`,
    )
    this.timeoutMs = timeoutMs
    this.outcome = outcome
  }
}

/** The caller's AbortSignal fired; its reason is the `cause`. */
export class LibvirtAbortError extends LibvirtClientError {
  override readonly name = 'AbortError'
  readonly outcome: 'not-sent' | 'unknown'

  constructor(call: string, reason: unknown, outcome: 'not-sent' | 'unknown') {
    super(`${call}: aborted; ${outcome === 'unknown' ? 'whether it took effect is unknown' : 'it was never sent'}`, {
      cause: reason,
    })
    this.outcome = outcome
  }
}

/** The other side sent something that is not libvirt's protocol, or the caller's arguments do not fit into it. */
export class LibvirtProtocolError extends LibvirtClientError {
  override readonly name = 'LibvirtProtocolError'
  readonly outcome: 'not-sent' | 'unknown'

  constructor(message: string, outcome: 'not-sent' | 'unknown', options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}
