import type { LoggerService } from '@nestjs/common'
import pino, { type Logger } from 'pino'
import { logFields } from './context.js'

export type { Logger }

/** Bodies and headers are not logged; should one slip into a line, its secrets do not. */
const secretKeys = [
  'password',
  'adminPass',
  'admin_pass',
  'original_password',
  'passwordHash',
  'token',
  'secret',
  'user_data',
  'userData',
  'privateKey',
  'private_key',
  'authorization',
  '["x-auth-token"]',
  '["x-subject-token"]',
]
const redactedPaths = secretKeys.flatMap((key) =>
  key.startsWith('[') ? [key, `*${key}`, `*.*${key}`] : [key, `*.${key}`, `*.*.${key}`],
)

/**
 * Of an error of PostgreSQL: where it quotes the rows and values that it is about, of whatever column. Its own words and code, and
 * the names of constraint, table and column, say what went wrong.
 */
const quotingKeys = ['detail', 'where', 'internalQuery']
const quotingPaths = quotingKeys.flatMap((key) => [
  `err.${key}`,
  `err.*.${key}`,
  `err.*.*.${key}`,
  `err.aggregateErrors[*].${key}`,
])

/** JSON lines on standard output, each with the fields of the work it belongs to. */
export function createLogger(service: string, level: string, destination?: pino.DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // A copy: pino adds each line's own fields to what it gets here.
      mixin: () => ({ ...logFields() }),
      redact: { paths: [...redactedPaths, ...quotingPaths], censor: '***' },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  )
}

/** Nest's own lines, through ours. What it says of its start is for the curious. */
export function nestLogger(logger: Logger): LoggerService {
  const line =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]) => {
      const context = rest.at(-1)
      const fields = { nest: typeof context === 'string' ? context : undefined }
      if (message instanceof Error) logger[level]({ ...fields, err: message }, message.message)
      else logger[level](fields, String(message))
    }
  return {
    log: line('debug'),
    debug: line('debug'),
    verbose: line('debug'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('fatal'),
  }
}
