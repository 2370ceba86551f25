import type { OpenTable } from '../engine/kernel.js'
import { tableKey, type Hook, type NamedSet, type TableFamily } from '../engine/tables.js'

type Listing = Record<string, Record<string, unknown>>

/** Of `nft --json list ruleset`, the tables of ours; of a rule, the mark. */
export function tablesOf(namespace: string, listing: { nftables: readonly Listing[] }): Map<string, OpenTable> {
  const tables = new Map<string, OpenTable>()
  const tableOf = (of: Record<string, unknown>) =>
    tables.get(tableKey({ namespace, family: of.family as TableFamily, name: String(of.table) }))
  for (const { table, chain, set, map, rule } of listing.nftables) {
    if (table && String(table.name).startsWith('nubo')) {
      const found = { namespace, family: table.family as TableFamily, name: String(table.name) }
      tables.set(tableKey(found), { ...found, chains: new Map(), sets: new Map() })
    }
    if (chain) tableOf(chain)?.chains.set(String(chain.name), { rules: [], ...hookOf(chain) })
    const named = set ?? map
    if (named) tableOf(named)?.sets.set(String(named.name), setOf(named))
    if (rule)
      tableOf(rule)
        ?.chains.get(String(rule.chain))
        ?.rules.push(String(rule.comment ?? ''))
  }
  return tables
}

function hookOf({ type, hook, prio, policy }: Record<string, unknown>): { hook?: Hook } {
  return hook === undefined ? {} : { hook: { type, hook, priority: prio, policy: policy ?? 'accept' } as Hook }
}

function setOf({ type, map, flags, elem }: Record<string, unknown>): NamedSet & { elements: Map<string, string> } {
  const elements = new Map(((elem as unknown[] | undefined) ?? []).map((one) => elementOf(one, map !== undefined)))
  return {
    type: typeText(type),
    ...(map !== undefined && { data: typeText(map) }),
    ...((flags as string[] | undefined)?.includes('interval') && { interval: true }),
    elements,
  }
}

const typeText = (type: unknown) => (Array.isArray(type) ? type.join(' . ') : String(type))

function elementOf(element: unknown, isMap: boolean): [string, string] {
  if (!isMap) return [valueText(element), '']
  const [key, value] = element as [unknown, unknown]
  return [valueText(key), valueText(value)]
}

/** A key or value of nft's JSON, in nft's words. */
function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const [[kind, of] = ['', null]] = Object.entries(value) as [string, unknown][]
  switch (kind) {
    case 'concat':
      return (of as unknown[]).map(valueText).join(' . ')
    case 'prefix':
      return `${(of as { addr: string }).addr}/${(of as { len: number }).len}`
    case 'range':
      return (of as unknown[]).map(valueText).join('-')
    case 'elem':
      return valueText((of as { val: unknown }).val)
    case 'jump':
    case 'goto':
      return `${kind} ${(of as { target: string }).target}`
    default:
      // A verdict without a target: `accept`, `drop`.
      return kind
  }
}
