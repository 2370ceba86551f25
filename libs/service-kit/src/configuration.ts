import { readFileSync } from 'node:fs'
import { z } from 'zod'

const listen = z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) })

/** What every service is told; each adds its own with `.extend`. Unknown keys are refused: they are misspelt ones. */
export const baseConfiguration = z.strictObject({
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info') }).prefault({}),
  listen,
  /**
   * Where figures are told (`GET /metrics`), for whoever operates the cloud. Absent: at `listen`, by a service that serves no
   * API; by one that does, nowhere, for tenants reach that.
   */
  metrics: z.strictObject({ listen }).optional(),
})
export type BaseConfiguration = z.infer<typeof baseConfiguration>

/** Where PostgreSQL is; `host` may be the folder of a unix socket. */
export const databaseConfiguration = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  database: z.string().min(1),
  user: z.string().min(1),
  password: z.string(),
  poolSize: z.int().min(1).max(200).default(10),
  /** How long one statement may take. */
  statementTimeoutMs: z.int().min(100).default(20_000),
})

/** Where Redis is. */
export const redisConfiguration = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  username: z.string().optional(),
  password: z.string().optional(),
})

/** A configuration that cannot be used, with every problem it has. */
export class ConfigurationError extends Error {
  constructor(file: string, problems: readonly string[]) {
    super(`${file} cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigurationError'
  }
}

/** The value of `--name VALUE` in a command line; undefined where it is not given. */
export function commandLineOption(commandLine: readonly string[], name: string): string | undefined {
  const at = commandLine.indexOf(`--${name}`)
  return at < 0 ? undefined : commandLine[at + 1]
}

/** Reads the JSON of `file` and holds it against `schema`. Throws ConfigurationError, which lists every problem. */
export function readConfiguration<Configuration>(file: string, schema: z.ZodType<Configuration>): Configuration {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigurationError(file, [`it cannot be read: ${(error as Error).message}`])
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    // The message of JSON.parse quotes the text, which may hold a password.
    throw new ConfigurationError(file, [`it is not JSON${positionOf(error)}`])
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw new ConfigurationError(
    file,
    result.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'it'}: ${issue.message}`),
  )
}

const positionOf = (error: unknown) => {
  const match = /line \d+ column \d+/.exec((error as Error).message)
  return match ? ` (${match[0]})` : ''
}
