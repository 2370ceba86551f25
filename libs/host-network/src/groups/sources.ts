import { familyOf, linkLocalOf } from '../addresses.js'
import type { PortPlan } from '../plan.js'

/** Who a port may say that it is. */
export interface Source {
  mac: string
  /** An address or a prefix. */
  prefix: string
  family: 4 | 6
}

/** Its own addresses, its own link-local one, and the pairs that its tenant allowed besides. */
export function sourcesOf({ mac, addresses, allowedPairs }: Pick<PortPlan, 'mac' | 'addresses' | 'allowedPairs'>): Source[] {
  const own = addresses.map((prefix) => ({ mac, prefix }))
  const local = [mac, ...allowedPairs.map((pair) => pair.mac)].map((mac) => ({ mac, prefix: linkLocalOf(mac) }))
  const sources = [...own, ...allowedPairs, ...local].map(({ mac, prefix }) => ({ mac, prefix, family: familyOf(prefix) }))
  return [...new Map(sources.map((source) => [`${source.mac} ${source.prefix}`, source])).values()]
}

export const macsOf = (sources: readonly Source[]) => [...new Set(sources.map(({ mac }) => mac))]
