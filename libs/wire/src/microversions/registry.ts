import { CloudError } from '@nubo/kernel'
import type { Downgrade, DowngradeContext, MicroversionChange, Upgrade, UpgradingRequest } from './change.js'
import { negotiate, versionHeaders, type VersionRange } from './negotiation.js'

/** Where an answer holds which shapes: `{ server: 'server' }`, `{ servers: ['server'] }`, `{ '': 'server' }` for the body itself. */
export type AnswerShapes = Readonly<Record<string, string | readonly [string]>>

/** What one version asks of one operation, worked out once. */
export interface OperationPlan {
  /** False: in this version the operation does not exist. */
  available: boolean
  /** The status it answers with, where that differs from the newest version's. */
  status: number | undefined
  upgrade: ((request: UpgradingRequest) => void) | undefined
  downgrade: ((body: unknown, context: DowngradeContext) => void) | undefined
}

/** One version as the catalogue tells it: what the real service changed. */
export interface CataloguedVersion {
  version: string
  change: string
}

/** The versions of one service: negotiation, and for each operation how its requests and answers are transformed. */
export class MicroversionRegistry {
  /** Ascending by version. */
  private readonly changes: readonly MicroversionChange[]
  private readonly plans = new Map<string, OperationPlan>()
  private readonly headers: readonly Record<string, string>[]

  constructor(
    readonly range: VersionRange,
    changes: readonly MicroversionChange[],
  ) {
    for (const { minor } of changes)
      if (minor < range.minimum || minor > range.maximum) throw new Error(`${range.major}.${minor} is out of range`)
    this.changes = changes.toSorted((a, b) => a.minor - b.minor)
    this.headers = Array.from({ length: range.maximum + 1 }, (_, minor) => versionHeaders(`${range.major}.${minor}`, range))
  }

  /** The minor version asked for; throws 400 and 406. */
  negotiate(headers: Record<string, string | string[] | undefined>): number {
    return negotiate(headers, this.range)
  }

  /** The headers of an answer in version `minor`. */
  headersOf(minor: number): Record<string, string> {
    return this.headers[minor]!
  }

  /** All that was declared of version `minor`. */
  changesIn(minor: number): readonly MicroversionChange[] {
    return this.changes.filter((change) => change.minor === minor)
  }

  /** Every operation and shape that a change names: to be held against those that routes declare. */
  namesInUse(): { operations: Set<string>; responses: Set<string> } {
    const operations = new Set<string>()
    const responses = new Set<string>()
    for (const change of this.changes) {
      const { requests = {}, statusesBefore = {}, added = [], removed = [] } = change
      for (const name of [...Object.keys(requests), ...Object.keys(statusesBefore), ...added, ...removed]) operations.add(name)
      for (const name of Object.keys(change.responses ?? {})) responses.add(name)
    }
    return { operations, responses }
  }

  /** How `operation`, whose newest answer holds `shapes`, is served in version `minor`. */
  plan(operation: string, shapes: AnswerShapes, minor: number): OperationPlan {
    const key = `${operation} ${minor}`
    let plan = this.plans.get(key)
    if (!plan) this.plans.set(key, (plan = this.workOut(operation, shapes, minor)))
    return plan
  }

  private workOut(operation: string, shapes: AnswerShapes, minor: number): OperationPlan {
    const later = this.changes.filter((change) => change.minor > minor)
    const earlier = this.changes.filter((change) => change.minor <= minor)
    const upgrades = later.map((change) => change.requests?.[operation]).filter((upgrade) => upgrade !== undefined)
    return {
      available:
        !later.some((change) => change.added?.includes(operation)) &&
        !earlier.some((change) => change.removed?.includes(operation)),
      status: later.map((change) => change.statusesBefore?.[operation]).find((status) => status !== undefined),
      upgrade: upgrades.length > 0 ? all(upgrades) : undefined,
      downgrade: downgradeThrough(later.toReversed(), operation, shapes),
    }
  }
}

const all = (upgrades: readonly Upgrade[]) => (request: UpgradingRequest) => {
  for (const upgrade of upgrades) upgrade(request)
}

type BodyEdit = (body: unknown, context: DowngradeContext) => void

/** Newest first: each change sees the shapes as its own version has them. */
function downgradeThrough(
  newestFirst: readonly MicroversionChange[],
  operation: string,
  shapes: AnswerShapes,
): BodyEdit | undefined {
  const edits: BodyEdit[] = []
  for (const change of newestFirst) {
    for (const [key, shape] of Object.entries(shapes)) {
      const name = typeof shape === 'string' ? shape : shape[0]
      const edit = change.responses?.[name]
      if (edit) edits.push(within(key, typeof shape !== 'string', edit))
    }
    const whole = change.responses?.[operation]
    if (whole) edits.push((body, context) => isObject(body) && whole(body, context))
  }
  if (edits.length === 0) return undefined
  return (body, context) => {
    for (const edit of edits) edit(body, context)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object'

function within(key: string, isList: boolean, edit: Downgrade): BodyEdit {
  return (body, context) => {
    const value = key === '' ? body : isObject(body) ? body[key] : undefined
    if (isList) {
      if (Array.isArray(value)) for (const item of value) edit(item, context)
    } else if (isObject(value)) edit(value, context)
  }
}

/** The 404 of an operation that a version does not have: as if the route were not there. */
export const absentInVersion = () => new CloudError('NotFound', 'The resource could not be found.')
