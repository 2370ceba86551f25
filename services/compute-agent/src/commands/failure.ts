import type { Failure } from '@nubo/contract'

/** A command that failed for good: `scope` says what helps, `message` is for a person. */
export class CommandFailure extends Error {
  constructor(
    readonly scope: Failure['scope'],
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'CommandFailure'
  }
}

/** Why the signal of a command fires when its time is over. How it stands is open, unless nothing was begun. */
export class DeadlinePassed extends Error {
  constructor(timeoutMs: number) {
    super(`it was not done within ${timeoutMs} ms`)
    this.name = 'DeadlinePassed'
  }
}
