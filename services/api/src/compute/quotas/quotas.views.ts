import { quotaResourceNames, unlimited, type QuotaResource } from '@nubo/domain'
import { withSource } from '@nubo/wire'
import { fileLimitNames, networkLimitNames } from './quotas.schemas.js'

/** Limits, or limits and their use, by resource. */
export type QuotaValues<Value> = Record<QuotaResource, Value>

export interface DetailedLimit {
  in_use: number
  limit: number
  reserved: number
}

interface QuotaSetSource {
  old: Record<string, unknown>
}

/** The newest version's shape (2.96); what older versions show beside it hangs on it. `id` is the project's. */
export function quotaSetView<Value>(values: QuotaValues<Value>, id?: string) {
  const named = Object.entries(values).map(([resource, value]) => [quotaResourceNames[resource as QuotaResource], value] as const)
  const isOld = ([name]: readonly [string, Value]) => fileLimitNames.includes(name)
  const current = Object.fromEntries(named.filter((entry) => !isOld(entry)))
  return withSource({ ...(id === undefined ? {} : { id }), ...current }, { old: Object.fromEntries(named.filter(isOld)) })
}

/** Before 2.57 the limits of injected files were shown. */
export function addFileLimits(quotaSet: Record<string, unknown>, { old }: QuotaSetSource): void {
  Object.assign(quotaSet, old)
}

/** Before 2.36 those of the network were, which limit nothing. */
export function addNetworkLimits(quotaSet: Record<string, unknown>): void {
  const detailed = typeof quotaSet['instances'] === 'object'
  for (const name of networkLimitNames)
    quotaSet[name] = detailed ? ({ in_use: 0, limit: unlimited, reserved: 0 } satisfies DetailedLimit) : unlimited
}
