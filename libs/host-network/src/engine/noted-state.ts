import type { Change } from './difference.js'
import type { KernelChanges, KernelState, OpenTable } from './kernel.js'
import { keyOf, standsOn, type KernelObject } from './objects.js'
import type { TableChange, TableChanges } from './table-difference.js'
import { ruleMark, tableKey } from './tables.js'

/** Makes of the state what is there after these changes, where all of them could be made. */
export function noteChanges({ objects, tables }: KernelState, changes: KernelChanges): void {
  noteObjects(objects, changes.objects)
  for (const change of changes.tables) noteTable(tables, change)
}

function noteObjects(objects: KernelState['objects'], changes: readonly Change[]): void {
  const gone = new Set<string>()
  for (const { verb, object } of changes) {
    if (verb !== 'remove') continue
    if (object.kind === 'link' && object.make.kind === 'found') objects.set(keyOf(object), { ...object, master: null })
    else if (object.kind === 'link' || object.kind === 'namespace') gone.add(keyOf(object))
    else objects.delete(keyOf(object))
  }
  dropWithAllThatStandsOn(gone, objects)
  for (const { verb, object } of changes) {
    if (verb === 'remove') continue
    const had = objects.get(keyOf(object))
    const told = Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
    objects.set(keyOf(object), { ...had, ...told } as KernelObject)
  }
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

function noteTable(tables: KernelState['tables'], { table, changes }: TableChanges): void {
  const key = tableKey(table)
  for (const change of changes) {
    if (change.verb === 'delete-table') tables.delete(key)
    else if (change.verb === 'add-table') tables.set(key, { ...table, chains: new Map(), sets: new Map() })
    else noteContents(tables.get(key)!, change)
  }
}

function noteContents({ chains, sets }: OpenTable, change: TableChange): void {
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
