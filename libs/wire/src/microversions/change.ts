/** A request on its way up to the newest shapes. Not validated yet: anything may be anything. */
export interface UpgradingRequest {
  body: unknown
  query: Record<string, unknown>
}

/** What a downgrade may need beside the view itself. */
export interface DowngradeContext {
  /** `http://host:port` as the client knows us. */
  baseUrl: string
  /** What was asked for: 'server.show'. */
  operation: string
  /** Parameters of the path. */
  parameters: Readonly<Record<string, string>>
}

/** Edits a request of the version before this one into this version's; throws what that version refused. */
export type Upgrade = (request: UpgradingRequest) => void
/** Edits a fresh view of this version into the shape of the version before it. */
// The shapes of 96 versions of every resource are not typed one by one: a downgrade names the fields it touches.
// eslint-disable-next-line typescript/no-explicit-any
export type Downgrade = (view: any, context: DowngradeContext) => void

export interface MicroversionParts {
  /** By operation ('server.create'). */
  requests?: Readonly<Record<string, Upgrade>>
  /** By shape ('server', wherever an answer holds one) or by operation ('server.update', the whole body). */
  responses?: Readonly<Record<string, Downgrade>>
  /** Statuses that an operation answered with before this version. */
  statusesBefore?: Readonly<Record<string, number>>
  /** Operations that exist since this version: before it they are a 404. */
  added?: readonly string[]
  /** Operations that are gone since this version. */
  removed?: readonly string[]
  /** What of this version is not here, for the table in the docs. */
  missing?: string
}

export interface MicroversionChange extends MicroversionParts {
  minor: number
  summary: string
}

const format = /^([1-9]\d*)\.([1-9]\d*|0)$/

/** The minor number of '2.47'. */
export function minorOf(version: string): number {
  const match = format.exec(version)
  if (!match) throw new Error(`'${version}' is no microversion`)
  return Number(match[2])
}

/**
 * What `version` changed in one resource, told from the newest shapes backwards. Declared beside the resource; parts that
 * need no transform (a header, a changed default) are declared too, with what was done, so that the table shows them.
 */
export function microversion(version: string, summary: string, parts: MicroversionParts = {}): MicroversionChange {
  return { minor: minorOf(version), summary, ...parts }
}
