import { differenceOf } from './difference.js'
import type { KernelChanges, KernelState } from './kernel.js'
import { hostNamespace, keyOf, type KernelObject } from './objects.js'
import { Program } from './program.js'
import { tableDifferenceOf } from './table-difference.js'
import { tableKey, type Table } from './tables.js'

/**
 * What makes of the kernel's state what the program says.
 * @param inForce what that state was made by: where it is known, only pieces that differ are looked at.
 */
export function changesTo(program: Program, state: KernelState, inForce: Program | undefined): KernelChanges {
  return (inForce && changesOfPieces(program, state, inForce)) ?? changesOfAll(program, state)
}

function changesOfAll(program: Program, state: KernelState): KernelChanges {
  const { objects, tables } = program
  // What stands in a namespace goes with it.
  const stays = (namespace: string) => namespace === hostNamespace || objects.has(`namespace ${namespace}`)
  return {
    objects: differenceOf(state.objects, objects),
    tables: tableDifferenceOf(state.tables, tables).filter(({ table }) => stays(table.namespace)),
  }
}

/** Undefined where pieces that stay are touched too. */
function changesOfPieces(program: Program, state: KernelState, inForce: Program): KernelChanges | undefined {
  const [old, fresh] = [difference(inForce, program), difference(program, inForce)]
  const [oldObjects, freshObjects] = [old.objects, fresh.objects]
  if (takesAlong(oldObjects, freshObjects)) return undefined
  const objects = differenceOf(picked(state.objects, oldObjects, freshObjects), freshObjects)
  const tables = tableChanges(old.tables, fresh.tables, program, state)
  const isMadeAnew = tables.some(({ table, changes }) => changes[0]?.verb === 'delete-table' && program.names(tableKey(table)))
  return isMadeAnew ? undefined : { objects, tables }
}

/** The pieces of one that the other has not. */
function difference(program: Program, other: Program): Program {
  return new Program(new Set([...program.pieces].filter((piece) => !other.pieces.has(piece))))
}

type Objects = ReadonlyMap<string, KernelObject>

/** A namespace or link of ours that goes, or is made anew: what stands on it may be of other pieces. */
function takesAlong(old: Objects, fresh: Objects): boolean {
  return [...old.values()].some((object) => {
    if (object.kind === 'namespace') return !fresh.has(keyOf(object))
    if (object.kind !== 'link' || object.make.kind === 'found') return false
    const next = fresh.get(keyOf(object))
    return next?.kind !== 'link' || JSON.stringify(next.make) !== JSON.stringify(object.make)
  })
}

/** Of what is there, what one of the others names. */
function picked<T>(there: ReadonlyMap<string, T>, ...named: ReadonlyMap<string, unknown>[]): Map<string, T> {
  const found = new Map<string, T>()
  for (const keys of named) {
    for (const key of keys.keys()) {
      const one = there.get(key)
      if (one !== undefined) found.set(key, one)
    }
  }
  return found
}

type Tables = ReadonlyMap<string, Table>

/** Tables and sets that are named by pieces that stay are there still, without what stood in them by those that go. */
function tableChanges(old: Tables, fresh: Tables, program: Program, state: KernelState): KernelChanges['tables'] {
  const [actual, wanted] = [new Map<string, Table>(), new Map<string, Table>()]
  for (const key of new Set([...old.keys(), ...fresh.keys()])) {
    const [before, after, there] = [old.get(key), fresh.get(key), state.tables.get(key)]
    if (there) actual.set(key, excerptOf(there, before, after))
    if (after || program.names(key))
      wanted.set(
        key,
        withEmptiedSets(before, after, (set) => program.names(key, set)),
      )
  }
  return tableDifferenceOf(actual, wanted)
}

function excerptOf(there: Table, ...named: (Table | undefined)[]): Table {
  const tables = named.filter((table) => table !== undefined)
  const sets = picked(there.sets, ...tables.map((table) => table.sets))
  for (const [name, set] of sets) {
    const elements = tables.flatMap((table) => table.sets.get(name)?.elements ?? [])
    sets.set(name, { ...set, elements: picked(set.elements, ...elements) })
  }
  return { ...there, chains: picked(there.chains, ...tables.map(({ chains }) => chains)), sets }
}

function withEmptiedSets(before: Table | undefined, after: Table | undefined, stays: (set: string) => boolean): Table {
  const { namespace, family, name } = (after ?? before)!
  const sets = new Map(after?.sets)
  for (const [set, of] of before?.sets ?? []) {
    if (!sets.has(set) && stays(set)) sets.set(set, { ...of, elements: new Map() })
  }
  return { namespace, family, name, chains: after?.chains ?? new Map(), sets }
}
