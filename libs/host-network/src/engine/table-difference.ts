import { isDeepStrictEqual } from 'node:util'
import { ruleMark, tableKey, type Chain, type Hook, type NamedSet, type Table } from './tables.js'

/** One word to nftables. All words to one namespace take effect together, or none does. */
export type TableChange =
  | { verb: 'add-table' | 'delete-table' }
  | { verb: 'add-set'; set: string; of: Omit<NamedSet, 'elements'> }
  | { verb: 'delete-set'; set: string }
  | { verb: 'add-chain'; chain: string; hook?: Hook }
  | { verb: 'flush-chain' | 'delete-chain'; chain: string }
  | { verb: 'add-elements' | 'delete-elements'; set: string; elements: ReadonlyMap<string, string> }
  | { verb: 'add-rule'; chain: string; rule: string }

export interface TableChanges {
  table: Pick<Table, 'namespace' | 'family' | 'name'>
  changes: readonly TableChange[]
}

type Tables = ReadonlyMap<string, Table>

const nothing = { chains: new Map<string, Chain>(), sets: new Map<string, NamedSet>() }

/**
 * What makes of `actual` (whose rules are their marks) what is `desired`. A chain whose rules are others is filled anew, a
 * set loses and gains single elements; a table is made anew where what cannot be changed is to be otherwise.
 */
export function tableDifferenceOf(actual: Tables, desired: Tables): TableChanges[] {
  const added = [...desired.values()].map((table) => ({ table, changes: changesOf(actual.get(tableKey(table)), table) }))
  const removed = [...actual.values()].filter((table) => !desired.has(tableKey(table)))
  return [
    ...added.filter(({ changes }) => changes.length > 0),
    ...removed.map((table): TableChanges => ({ table, changes: [{ verb: 'delete-table' }] })),
  ].map(({ table: { namespace, family, name }, changes }) => ({ table: { namespace, family, name }, changes }))
}

function changesOf(before: Table | undefined, wanted: Table): TableChange[] {
  if (!before) return [{ verb: 'add-table' }, ...contents(nothing, wanted)]
  if (isMadeOtherwise(before, wanted)) return [{ verb: 'delete-table' }, { verb: 'add-table' }, ...contents(nothing, wanted)]
  return contents(before, wanted)
}

/** What a set is of, and where a chain hangs, stay as they were made. */
function isMadeOtherwise(before: Table, wanted: Table): boolean {
  const isOtherSet = ([name, { type, data, interval }]: [string, NamedSet]) => {
    const was = before.sets.get(name)
    return was && (was.type !== type || was.data !== data || Boolean(was.interval) !== Boolean(interval))
  }
  const isOtherChain = ([name, { hook }]: [string, Chain]) => {
    const was = before.chains.get(name)
    return was && !isDeepStrictEqual(was.hook, hook)
  }
  return [...wanted.sets].some(isOtherSet) || [...wanted.chains].some(isOtherChain)
}

/** Whatever is named by something is there before it, and goes after it. */
function contents(before: Pick<Table, 'chains' | 'sets'>, wanted: Table): TableChange[] {
  const newSets = [...wanted.sets].filter(([name]) => !before.sets.has(name))
  const newChains = [...wanted.chains].filter(([name]) => !before.chains.has(name))
  const oldSets = [...before.sets.keys()].filter((name) => !wanted.sets.has(name))
  const oldChains = [...before.chains.keys()].filter((name) => !wanted.chains.has(name))
  const refilled = [...wanted.chains].filter(([name, chain]) => !hasRules(before.chains.get(name), chain))
  const flushed = [...refilled.map(([name]) => name), ...oldChains].filter((name) => before.chains.get(name)?.rules.length)
  return [
    ...newSets.map(([set, { elements: _, ...of }]): TableChange => ({ verb: 'add-set', set, of })),
    ...newChains.map(([chain, { hook }]): TableChange => ({ verb: 'add-chain', chain, ...(hook && { hook }) })),
    ...flushed.map((chain): TableChange => ({ verb: 'flush-chain', chain })),
    ...[...before.sets].flatMap(([set, { elements }]) => deletions(set, elements, wanted.sets.get(set)?.elements)),
    ...[...wanted.sets].flatMap(([set, { elements }]) => additions(set, before.sets.get(set)?.elements, elements)),
    ...refilled.flatMap(([chain, { rules }]) => rules.map((rule): TableChange => ({ verb: 'add-rule', chain, rule }))),
    ...oldChains.map((chain): TableChange => ({ verb: 'delete-chain', chain })),
    ...oldSets.map((set): TableChange => ({ verb: 'delete-set', set })),
  ]
}

function hasRules(before: Chain | undefined, { rules }: Chain): boolean {
  const marks = before?.rules ?? []
  return marks.length === rules.length && rules.every((rule, index) => ruleMark(rule) === marks[index])
}

type Elements = ReadonlyMap<string, string>

/** Also of a set that goes: its elements may name chains that go too. */
function deletions(set: string, before: Elements, wanted: Elements = new Map()): TableChange[] {
  const elements = new Map([...before].filter(([key, value]) => wanted.get(key) !== value))
  return elements.size ? [{ verb: 'delete-elements', set, elements }] : []
}

function additions(set: string, before: Elements = new Map(), wanted: Elements): TableChange[] {
  const elements = new Map([...wanted].filter(([key, value]) => before.get(key) !== value))
  return elements.size ? [{ verb: 'add-elements', set, elements }] : []
}
