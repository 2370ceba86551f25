import type { Change } from './difference.js'
import type { KernelState } from './kernel.js'
import { keyOf, standsOn, type KernelObject } from './objects.js'
import type { TableChanges } from './table-difference.js'
import { ruleMark, tableKey, type Chain, type NamedSet, type Table } from './tables.js'

/** What is there after these changes, where all of them could be made. */
export function stateAfter(
  state: KernelState,
  changes: { objects: readonly Change[]; tables: readonly TableChanges[] },
): KernelState {
  return { objects: objectsAfter(state.objects, changes.objects), tables: tablesAfter(state.tables, changes.tables) }
}

export function objectsAfter(before: KernelState['objects'], changes: readonly Change[]): Map<string, KernelObject> {
  const objects = new Map(before)
  const gone = new Set<string>()
  for (const { verb, object } of changes) {
    if (verb !== 'remove') continue
    if (object.kind === 'link' && object.make.kind === 'found') objects.set(keyOf(object), { ...object, master: null })
    else gone.add(keyOf(object))
  }
  dropWithAllThatStandsOn(gone, objects)
  for (const { verb, object } of changes) {
    if (verb === 'remove') continue
    const had = objects.get(keyOf(object))
    const told = Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
    objects.set(keyOf(object), { ...had, ...told } as KernelObject)
  }
  return objects
}

function dropWithAllThatStandsOn(gone: Set<string>, objects: Map<string, KernelObject>): void {
  if (gone.size === 0) return
  const isGone = ([key, object]: [string, KernelObject]) => gone.has(key) || standsOn(object).some((below) => gone.has(below))
  let fallen: [string, KernelObject][]
  do {
    fallen = [...objects].filter(isGone)
    for (const [key] of fallen) {
      gone.add(key)
      objects.delete(key)
    }
  } while (fallen.length > 0)
  for (const [key, object] of objects) {
    if (object.kind !== 'link' || !object.master || !gone.has(`link ${object.namespace} ${object.master}`)) continue
    objects.set(key, { ...object, master: null })
  }
}

interface OpenTable extends Table {
  chains: Map<string, Chain & { rules: string[] }>
  sets: Map<string, NamedSet & { elements: Map<string, string> }>
}

export function tablesAfter(before: ReadonlyMap<string, Table>, changes: readonly TableChanges[]): Map<string, Table> {
  const tables = new Map(before)
  for (const { table, changes: words } of changes) {
    const key = tableKey(table)
    let open = opened(tables.get(key))
    for (const change of words) {
      if (change.verb === 'delete-table') open = undefined
      else if (change.verb === 'add-table') open = { ...table, chains: new Map(), sets: new Map() }
      else changeContents(open!, change)
    }
    if (open) tables.set(key, open)
    else tables.delete(key)
  }
  return tables
}

function opened(table: Table | undefined): OpenTable | undefined {
  if (!table) return undefined
  const chains: OpenTable['chains'] = new Map()
  for (const [name, chain] of table.chains) chains.set(name, { ...chain, rules: [...chain.rules] })
  const sets: OpenTable['sets'] = new Map()
  for (const [name, set] of table.sets) sets.set(name, { ...set, elements: new Map(set.elements) })
  return { ...table, chains, sets }
}

function changeContents({ chains, sets }: OpenTable, change: TableChanges['changes'][number]): void {
  switch (change.verb) {
    case 'add-set':
      return void sets.set(change.set, { ...change.of, elements: new Map() })
    case 'delete-set':
      return void sets.delete(change.set)
    case 'add-chain':
      return void chains.set(change.chain, { ...(change.hook && { hook: change.hook }), rules: [] })
    case 'delete-chain':
      return void chains.delete(change.chain)
    case 'flush-chain':
      return void chains.get(change.chain)!.rules.splice(0)
    case 'add-rule':
      return void chains.get(change.chain)!.rules.push(ruleMark(change.rule))
    case 'add-elements':
      for (const [key, value] of change.elements) sets.get(change.set)!.elements.set(key, value)
      return
    case 'delete-elements':
      for (const key of change.elements.keys()) sets.get(change.set)!.elements.delete(key)
      return
    case 'add-table':
    case 'delete-table':
      return
  }
}
