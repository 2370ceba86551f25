import {
  networkLimitsOf,
  networkError,
  networkQuotaResources as resources,
  type NetworkAmounts,
  type NetworkQuotaResource,
} from '@nubo/domain'
import type { Queryable, Transaction } from '../connection.js'
import { countedResources, type NetworkUse } from './counted-resources.js'

const columnOf = (resource: NetworkQuotaResource) => countedResources[resource].column

/**
 * Takes `amounts` of a project's quota for as long as what they stand for is there. The limit is asked in the row that is
 * updated, so however many requests race none goes over it. Throws QuotaExceeded, and the transaction is to be given up.
 */
export async function takeNetworkQuota(tx: Transaction, projectId: string, amounts: NetworkAmounts): Promise<void> {
  const use = await raise(tx, projectId, amounts)
  if (use) assertWithin(use, amounts)
}

/** Throws as `takeNetworkQuota` does where there is no room for `amounts` now: before much is made that would be given up. */
export async function refuseOverQuota(db: Queryable, projectId: string, amounts: NetworkAmounts): Promise<void> {
  if (projectId === '') return
  const { limits, used } = await readNetworkQuota(db, projectId)
  const after = resources.map((each) => [each, used[each] + (amounts[each] ?? 0)])
  assertWithin({ limits, used: Object.fromEntries(after) as NetworkUse }, amounts)
}

function assertWithin({ limits: own, used }: NetworkQuota, amounts: NetworkAmounts): void {
  const limits = networkLimitsOf(own)
  const over = resources.filter((each) => (amounts[each] ?? 0) > 0 && limits[each] >= 0 && used[each] > limits[each])
  if (over.length > 0)
    throw networkError(
      'QuotaExceeded',
      'OverQuota',
      `Quota exceeded for resources: [${over.map((name) => `'${name}'`).join(', ')}].`,
    )
}

/** Counts what is made for a project without being asked for: no limit stands in its way. */
export async function countNetworkUse(tx: Transaction, projectId: string, amounts: NetworkAmounts): Promise<void> {
  await raise(tx, projectId, amounts)
}

/** To be called where the deletion of what they stood for is certain: in its transaction, once. */
export async function giveBackNetworkQuota(tx: Transaction, projectId: string, amounts: NetworkAmounts): Promise<void> {
  const negative = Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, -amount]))
  await raise(tx, projectId, negative)
}

export interface NetworkQuota {
  /** The project's own limits, of all services; what is absent has the default. */
  limits: Record<string, number>
  used: NetworkUse
}

/** A project's own limits and what it has. */
export async function readNetworkQuota(db: Queryable, projectId: string): Promise<NetworkQuota> {
  const [row] = await db.query<QuotaRow>(`SELECT ${quotaFields} FROM project_quotas WHERE project_id = $1`, [projectId])
  return row ? fromRow(row) : { limits: {}, used: Object.fromEntries(resources.map((each) => [each, 0])) as NetworkUse }
}

/** What the projects with limits of their own have, those of other services among them. */
export async function listNetworkLimits(db: Queryable): Promise<{ projectId: string; limits: Record<string, number> }[]> {
  return await db.query(
    'SELECT project_id AS "projectId", limits FROM project_quotas WHERE limits ?| $1::text[] ORDER BY project_id',
    [resources],
  )
}

type QuotaRow = { limits: Record<string, number> } & Record<NetworkQuotaResource, number>
const quotaFields = ['limits', ...resources.map((each) => `project_quotas.${columnOf(each)} AS "${each}"`)].join(', ')
const fromRow = ({ limits, ...used }: QuotaRow): NetworkQuota => ({ limits, used })

const raiseStatement = `
  INSERT INTO project_quotas (project_id, ${resources.map((each) => columnOf(each)).join(', ')})
  VALUES ($1, ${resources.map((_, index) => `$${index + 2}`).join(', ')})
  ON CONFLICT (project_id) DO UPDATE SET
    ${resources.map((each) => `${columnOf(each)} = project_quotas.${columnOf(each)} + EXCLUDED.${columnOf(each)}`).join(', ')}
  RETURNING ${quotaFields}`

/**
 * Holds the row until the transaction ends: what is read here is what the next request finds. What belongs to no project is
 * counted for nobody.
 */
async function raise(tx: Transaction, projectId: string, amounts: NetworkAmounts): Promise<NetworkQuota | undefined> {
  if (projectId === '') return undefined
  const [row] = await tx.query<QuotaRow>(raiseStatement, [projectId, ...resources.map((each) => amounts[each] ?? 0)])
  return fromRow(row!)
}
