import { ignoreQueryExcept, microversion, objectAt, sourceOf, type UpgradingRequest } from '@nubo/wire'
import { parse } from '../parameter-types.js'
import { networkLimitNames, networkLimitsBody } from './quotas.schemas.js'
import { addFileLimits, addNetworkLimits } from './quotas.views.js'

type View = Record<string, unknown>

/** Checked and put aside: they limit nothing. */
function dropNetworkLimits(request: UpgradingRequest): void {
  const quotaSet = objectAt(request.body, 'quota_set')
  if (!quotaSet) return
  parse(networkLimitsBody, request.body)
  for (const name of networkLimitNames) delete quotaSet[name]
}

const operations = ['quota.show', 'quota.detail', 'quota.update', 'quota.delete']

/** What each microversion changed of quota sets, told from the newest shapes backwards. */
export const quotaMicroversions = [
  microversion('2.36', 'limits of networks are gone from quota sets', {
    requests: { 'quota.update': dropNetworkLimits },
    responses: { 'quota-set': addNetworkLimits },
    missing: 'before it, the limits of networks are taken and always -1: those of the network service count',
  }),
  microversion('2.57', 'limits of injected files are gone from quota sets', {
    responses: { 'quota-set': (quotaSet: View) => addFileLimits(quotaSet, sourceOf(quotaSet)) },
  }),
  microversion('2.75', 'unknown query parameters of quota sets are an error', {
    requests: Object.fromEntries(operations.map((operation) => [operation, ignoreQueryExcept(['user_id'])])),
  }),
]
