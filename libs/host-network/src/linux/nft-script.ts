import type { TableChange, TableChanges } from '../engine/table-difference.js'
import { ruleMark, type NamedSet } from '../engine/tables.js'

/** The words of nft for what is to change in one namespace: one transaction. */
export function nftScript(changes: readonly TableChanges[]): string {
  return changes
    .flatMap(({ table, changes }) => changes.map((change) => lineOf(`${table.family} ${table.name}`, change)))
    .join('\n')
}

function lineOf(table: string, change: TableChange): string {
  switch (change.verb) {
    case 'add-table':
      return `add table ${table}`
    case 'delete-table':
      return `delete table ${table}`
    case 'add-set':
      return `add ${change.of.data ? 'map' : 'set'} ${table} ${change.set} { ${setWords(change.of)} }`
    case 'delete-set':
      return `delete set ${table} ${change.set}`
    case 'add-chain': {
      const { hook } = change
      const words = hook && `{ type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy ${hook.policy}; }`
      return `add chain ${table} ${change.chain}${words ? ` ${words}` : ''}`
    }
    case 'flush-chain':
      return `flush chain ${table} ${change.chain}`
    case 'delete-chain':
      return `delete chain ${table} ${change.chain}`
    case 'add-elements':
      return `add element ${table} ${change.set} { ${elementWords(change.elements, true)} }`
    case 'delete-elements':
      return `delete element ${table} ${change.set} { ${elementWords(change.elements, false)} }`
    case 'add-rule':
      return `add rule ${table} ${change.chain} ${change.rule} comment "${ruleMark(change.rule)}"`
  }
}

function setWords({ type, data, interval }: Omit<NamedSet, 'elements'>): string {
  return `type ${type}${data ? ` : ${data}` : ''};${interval ? ' flags interval;' : ''}`
}

function elementWords(elements: ReadonlyMap<string, string>, withValues: boolean): string {
  return [...elements]
    .map(([key, value]) =>
      withValues && value !== '' ? `${quoted(key)} : ${isName(value) ? `"${value}"` : value}` : quoted(key),
    )
    .join(', ')
}

/** Names of links, which stand beside addresses and numbers, are quoted. */
const quoted = (key: string) =>
  key
    .split(' . ')
    .map((part) => (isName(part) ? `"${part}"` : part))
    .join(' . ')
const isName = (part: string) => /^nu[a-z]{1,2}[0-9a-f]+\*?$/.test(part)
