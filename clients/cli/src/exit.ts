/** What the program's exit code says. Scripts depend on these numbers: add to them, never change one. */
export const exitCode = {
  done: 0,
  /** The cloud refused or failed, or a server came to a bad end. */
  cloudError: 1,
  /** The command line or the configuration is wrong, or a name means several things. */
  usage: 2,
  notFound: 3,
  /** The cloud does not know who is asking (401) or does not let them (403). */
  notAllowed: 4,
  /** What was waited for did not come in time; it may still come. */
  timeout: 5,
  /** No connection, or not one that can be trusted. */
  unreachable: 6,
  /** `doctor` found what is not as promised. */
  unhealthy: 7,
  /** Ctrl-C, as shells number it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** Ends the command with a line for the person and an exit code for the script. Its message never holds a secret. */
export class CommandError extends Error {
  /** The cloud's id for the request that failed: what an operator looks for in the logs. */
  readonly requestId: string | undefined
  /** The HTTP status, where the cloud answered at all. */
  readonly status: number | undefined

  constructor(
    readonly code: ExitCode,
    message: string,
    options: { requestId?: string | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CommandError'
    this.requestId = options.requestId
    this.status = options.status
  }
}

/** The connection broke after a request that changes something was sent: nobody knows whether it was carried out. */
export class LostAnswer extends CommandError {
  constructor(message: string, cause: unknown) {
    super(exitCode.unreachable, message, { cause })
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(exitCode.usage, message)
}
