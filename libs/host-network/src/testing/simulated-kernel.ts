import type { Change } from '../engine/difference.js'
import type { Kernel, KernelChanges, KernelState, OpenTable } from '../engine/kernel.js'
import { hostNamespace, keyOf, type KernelObject, type LinkObject } from '../engine/objects.js'
import type { Problem } from '../engine/refusals.js'
import type { TableChange, TableChanges } from '../engine/table-difference.js'
import { ruleMark, tableKey, type Hook, type NamedSet, type Table } from '../engine/tables.js'

interface SimulatedTable extends Table {
  chains: Map<string, { hook?: Hook; rules: string[]; names: string[] }>
  sets: Map<string, NamedSet & { elements: Map<string, string> }>
}

/** Refuses what Linux refuses, and takes along what Linux takes along. It says no more than that; packets are for others. */
export class SimulatedKernel implements Kernel {
  readonly objects = new Map<string, KernelObject>()
  tables = new Map<string, SimulatedTable>()
  changes = 0
  reads = 0
  /** How many changes from now on are refused. */
  refusals = 0
  /** Rules that it would never take. */
  refuses: (rule: string) => boolean = () => false

  /** @param devices of the machine: network cards. */
  constructor(devices: readonly string[] = []) {
    for (const name of devices) this.appears(name)
  }

  /** A link that somebody else made. */
  appears(name: string, master: string | null = null): void {
    this.put({ kind: 'link', namespace: hostNamespace, name, make: { kind: 'found' }, mtu: 1_500, up: true, master })
  }

  async read(): Promise<KernelState> {
    this.reads++
    const tables = [...this.tables].map(([key, table]): [string, OpenTable] => [
      key,
      { ...copied(table), chains: markedChains(table) },
    ])
    return { objects: new Map(this.objects), tables: new Map(tables) }
  }

  async change({ objects, tables }: KernelChanges): Promise<Problem[]> {
    this.changes++
    if (this.refusals-- > 0) return [{ why: 'the kernel refuses' }]
    this.refusals = 0
    const isNamespace = ({ verb, object }: Change) => verb === 'make' && object.kind === 'namespace'
    return [
      ...this.problemsOf(objects.filter(isNamespace), (change) => this.carryOut(change)),
      ...this.changeTables(tables),
      ...this.problemsOf(
        objects.filter((change) => !isNamespace(change)),
        (change) => this.carryOut(change),
      ),
    ]
  }

  /** Takes a thing away behind everyone's back, with what goes with it. */
  lose(key: string): void {
    const object = this.objects.get(key)
    this.objects.delete(key)
    if (object?.kind === 'namespace') this.loseAll((other) => other.namespace === object.namespace)
    if (object?.kind === 'link') this.loseLink(object)
  }

  private problemsOf<T>(changes: readonly T[], work: (change: T) => void): Problem[] {
    return changes.flatMap((change) => {
      try {
        work(change)
        return []
      } catch (error) {
        return [{ why: (error as Error).message }]
      }
    })
  }

  private carryOut({ verb, object }: Change): void {
    const key = keyOf(object)
    const had = this.objects.get(key)
    const isEnd = object.kind === 'link' && object.make.kind === 'peer'
    // It went by itself.
    if (verb !== 'make' && !had && object.kind === 'link' && object.make.kind === 'found') return
    demand(verb !== 'remove' || had, `${key} is not there`)
    demand(verb !== 'alter' || had, `${key} is not there`)
    demand(verb !== 'make' || object.kind === 'setting' || isEnd === Boolean(had), `${key}: make`)
    if (verb !== 'remove') return this.set(object, had)
    if (object.kind === 'link' && object.make.kind === 'found') return this.put({ ...(had as LinkObject), master: null })
    this.lose(key)
  }

  private set(object: KernelObject, had: KernelObject | undefined): void {
    const { namespace } = object
    demand(
      namespace === hostNamespace || object.kind === 'namespace' || this.objects.has(`namespace ${namespace}`),
      `no ${namespace}`,
    )
    if ('link' in object) demand(this.objects.has(`link ${namespace} ${object.link}`), `no link ${object.link}`)
    if (object.kind === 'link') {
      if (object.master) demand(this.objects.has(`link ${namespace} ${object.master}`), `no bridge ${object.master}`)
      if (!had && object.make.kind === 'veth') this.makePeer(object)
      demand(had || object.make.kind !== 'found', `${object.name} is not ours to make`)
    }
    const told = Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
    this.put({ ...had, ...told } as KernelObject)
  }

  private makePeer({ namespace, name, make }: LinkObject): void {
    if (make.kind !== 'veth') return
    const { peerNamespace, peerName } = make
    demand(peerNamespace === '' || this.objects.has(`namespace ${peerNamespace}`), `no ${peerNamespace}`)
    const peer = { kind: 'peer', ofNamespace: namespace, ofName: name } as const
    this.put({ kind: 'link', namespace: peerNamespace, name: peerName, make: peer, mtu: 1_500, up: false, master: null })
  }

  private loseLink({ namespace, name, make }: LinkObject): void {
    this.loseAll((other) => 'link' in other && other.namespace === namespace && other.link === name)
    for (const [key, other] of this.objects) {
      if (other.kind === 'link' && other.namespace === namespace && other.master === name)
        this.objects.set(key, { ...other, master: null })
    }
    if (make.kind === 'veth') this.lose(`link ${make.peerNamespace} ${make.peerName}`)
    if (make.kind === 'peer') this.lose(`link ${make.ofNamespace} ${make.ofName}`)
  }

  private loseAll(isLost: (object: KernelObject) => boolean): void {
    for (const [key, object] of [...this.objects]) if (isLost(object) && this.objects.has(key)) this.lose(key)
    for (const [key, { namespace }] of this.tables) {
      if (namespace !== hostNamespace && !this.objects.has(`namespace ${namespace}`)) this.tables.delete(key)
    }
  }

  private put(object: KernelObject): void {
    this.objects.set(keyOf(object), object)
  }

  /** All of a namespace's, or nothing. */
  private changeTables(tables: readonly TableChanges[]): Problem[] {
    return [...Map.groupBy(tables, ({ table }) => table.namespace)].flatMap(([namespace, changes]) => {
      const before = new Map([...this.tables].map(([key, table]) => [key, copied(table)]))
      try {
        demand(namespace === hostNamespace || this.objects.has(`namespace ${namespace}`), `no ${namespace}`)
        const refused = changes.flatMap((change) => this.refusedIn(change))
        if (refused.length > 0) return refused
        for (const change of changes) this.changeTable(change)
        for (const table of this.tables.values()) checkNames(table)
        return []
      } catch (error) {
        this.tables = before
        return [{ why: (error as Error).message }]
      }
    })
  }

  private refusedIn({ table, changes }: TableChanges): Problem[] {
    return changes.flatMap((change) => {
      if (change.verb !== 'add-rule' || !this.refuses(change.rule)) return []
      const { chain, rule } = change
      return [{ why: `${rule} in ${chain} of ${table.namespace} is refused`, refused: { table: tableKey(table), chain, rule } }]
    })
  }

  private changeTable({ table, changes }: TableChanges): void {
    const key = tableKey(table)
    for (const change of changes) {
      if (change.verb === 'add-table') this.tables.set(key, { ...table, chains: new Map(), sets: new Map() })
      else if (change.verb === 'delete-table') demand(this.tables.delete(key), `no table ${key}`)
      else changeContents(required(this.tables.get(key), key), change)
    }
  }
}

function changeContents(table: SimulatedTable, change: TableChange): void {
  const { chains, sets } = table
  switch (change.verb) {
    case 'add-set':
      demand(!sets.has(change.set), `${change.set} is there`)
      return void sets.set(change.set, { ...change.of, elements: new Map() })
    case 'delete-set':
      checkUnnamed(table, change.set)
      return demand(sets.delete(change.set), `no set ${change.set}`)
    case 'add-chain':
      demand(!chains.has(change.chain), `${change.chain} is there`)
      return void chains.set(change.chain, { ...(change.hook && { hook: change.hook }), rules: [], names: [] })
    case 'flush-chain':
      return void Object.assign(required(chains.get(change.chain), change.chain), { rules: [], names: [] })
    case 'delete-chain':
      demand(required(chains.get(change.chain), change.chain).rules.length === 0, `${change.chain} has rules`)
      checkUnnamed(table, change.chain)
      return void chains.delete(change.chain)
    case 'add-rule': {
      const chain = required(chains.get(change.chain), change.chain)
      chain.rules.push(change.rule)
      return void chain.names.push(...namesIn(change.rule))
    }
    case 'add-elements': {
      const { elements } = required(sets.get(change.set), change.set)
      for (const [key, value] of change.elements) {
        demand(!elements.has(key), `${change.set} has ${key}`)
        elements.set(key, value)
      }
      return
    }
    case 'delete-elements': {
      const { elements } = required(sets.get(change.set), change.set)
      for (const key of change.elements.keys()) demand(elements.delete(key), `${change.set} has no ${key}`)
      return
    }
    case 'add-table':
    case 'delete-table':
      return
  }
}

/** Chains and sets that a rule or a value names. */
const namesIn = (text: string) => [...text.matchAll(/(?:@(?!nh,|th,|ll,)|\b(?:jump|goto) )([\w-]+)/g)].map(([, name]) => name!)

/** What is named must be there when it is named. */
function checkNames({ chains, sets, name: table }: SimulatedTable): void {
  const named = [
    ...[...chains.values()].flatMap(({ names }) => names),
    ...[...sets.values()].flatMap(({ elements }) => [...elements.values()].flatMap(namesIn)),
  ]
  for (const name of named) demand(chains.has(name) || sets.has(name), `${table}: ${name} is named and not there`)
}

function checkUnnamed({ chains, sets }: SimulatedTable, name: string): void {
  const isNamed =
    [...chains.values()].some(({ names }) => names.includes(name)) ||
    [...sets.values()].some(({ elements }) => [...elements.values()].some((value) => namesIn(value).includes(name)))
  demand(!isNamed, `${name} is named by another`)
}

function copied(table: SimulatedTable): SimulatedTable {
  const copy: SimulatedTable = { ...table, chains: new Map(), sets: new Map() }
  for (const [name, { rules, names, ...chain }] of table.chains) {
    copy.chains.set(name, { ...chain, rules: [...rules], names: [...names] })
  }
  for (const [name, set] of table.sets) copy.sets.set(name, { ...set, elements: new Map(set.elements) })
  return copy
}

const markedChains = ({ chains }: SimulatedTable) =>
  new Map([...chains].map(([name, { names: _, ...chain }]) => [name, { ...chain, rules: chain.rules.map(ruleMark) }]))

function required<T>(value: T | undefined, name: string): T {
  demand(value !== undefined, `no ${name}`)
  return value!
}

function demand(isSo: unknown, problem: string): void {
  if (!isSo) throw new Error(problem)
}
