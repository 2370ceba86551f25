import { assert } from '@nubo/kernel'
import {
  hostNamespace,
  keyOf,
  type AddressObject,
  type ForwardingObject,
  type KernelObject,
  type LinkObject,
  type NeighbourObject,
  type RouteObject,
} from './objects.js'
import { tableKey, type Chain, type Hook, type NamedSet, type Table, type TableFamily } from './tables.js'

/** A program that runs while the plan wants it, and is started again when it ends. */
export interface ProcessObject {
  /** Known by: letters, digits and dashes. */
  name: string
  namespace: string
  program: string
  args: readonly string[]
  /** Of what it reads when it is told to (SIGHUP): when this changes it is told. */
  reads: string
  /** What it remembers of what it read: when one of these is gone it is started anew. */
  remembers: readonly string[]
}

/**
 * What one thing of a plan (a port, a network, a router) needs on its host. To name a thing twice is a defect, unless both
 * say the same; tables and sets are named by many pieces, whatever stands in them by one.
 */
export class Piece {
  readonly objects: Map<string, KernelObject>
  readonly tables: Map<string, TableBuilder>
  readonly files: Map<string, string>
  readonly processes: Map<string, ProcessObject>
  readonly needs: Map<string, string>
  readonly troubles: string[] = []

  /**
   * @param madeOf of the same it is the same.
   * @param like what it says already: all that this one says.
   */
  constructor(
    readonly madeOf: readonly unknown[],
    like?: Piece,
  ) {
    this.objects = new Map(like?.objects)
    this.tables = new Map(like?.tables)
    this.files = new Map(like?.files)
    this.processes = new Map(like?.processes)
    this.needs = new Map(like?.needs)
  }

  namespace(namespace: string): void {
    this.add({ kind: 'namespace', namespace })
  }

  /** What is made is up; what was found is as it is, unless it says so. */
  link(link: Omit<LinkObject, 'kind'>): void {
    this.add({ kind: 'link', ...(link.make.kind !== 'found' && { up: true }), ...link })
  }

  address(address: Omit<AddressObject, 'kind'>): void {
    this.add({ kind: 'address', ...address })
  }

  neighbour(neighbour: Omit<NeighbourObject, 'kind'>): void {
    this.add({ kind: 'neighbour', ...neighbour })
  }

  forwarding(forwarding: Omit<ForwardingObject, 'kind'>): void {
    this.add({ kind: 'forwarding', ...forwarding })
  }

  route(route: Omit<RouteObject, 'kind'>): void {
    this.add({ kind: 'route', ...route })
  }

  setting(namespace: string, path: string, value: string): void {
    this.add({ kind: 'setting', namespace, path, value })
  }

  /** The table of this name, which is made by whoever asks for it first. Names begin with `nubo`: others are not ours. */
  table(namespace: string, family: TableFamily, name: string): TableBuilder {
    assert(name.startsWith('nubo'), 'tables of ours are known by their name')
    const key = tableKey({ namespace, family, name })
    const table = this.tables.get(key) ?? new TableBuilder(namespace, family, name)
    this.tables.set(key, table)
    return table
  }

  file(path: string, text: string): void {
    assert((this.files.get(path) ?? text) === text, `${path} is one file`)
    this.files.set(path, text)
  }

  process(process: ProcessObject): void {
    assert(!this.processes.has(process.name), `${process.name} is one process`)
    this.processes.set(process.name, process)
  }

  /** Notes what of the plan cannot be done here. */
  trouble(why: string): void {
    this.troubles.push(why)
  }

  /** A link of the host's own, which is not made by us, must be there. */
  need(name: string, why: string): void {
    this.needs.set(keyOf({ kind: 'link', namespace: hostNamespace, name, make: { kind: 'found' } }), why)
  }

  private add(object: KernelObject): void {
    const key = keyOf(object)
    const before = this.objects.get(key)
    assert(!before || JSON.stringify(before) === JSON.stringify(object), `${key} is one thing`)
    this.objects.set(key, object)
  }
}

export class TableBuilder implements Table {
  readonly chains = new Map<string, Chain & { rules: string[] }>()
  readonly sets = new Map<string, NamedSet & { elements: Map<string, string> }>()

  constructor(
    readonly namespace: string,
    readonly family: TableFamily,
    readonly name: string,
  ) {}

  /** Rules are appended to it in the order in which they are given. */
  chain(name: string, hook?: Hook, ifRefused?: Chain['ifRefused']): { rule(...texts: string[]): void } {
    const chain = this.chains.get(name) ?? { rules: [] }
    if (hook) chain.hook = hook
    if (ifRefused) chain.ifRefused = ifRefused
    this.chains.set(name, chain)
    return { rule: (...texts) => void chain.rules.push(...texts) }
  }

  /** A set, or, with `data`, a map. */
  set(name: string, of: Omit<NamedSet, 'elements'>): { element(key: string, value?: string): void } {
    const set = this.sets.get(name) ?? { ...of, elements: new Map<string, string>() }
    this.sets.set(name, set)
    return { element: (key, value = '') => void set.elements.set(asListed(key), value) }
  }
}

/** Another table builder with all that this one has, but for these chains. */
export function withChains(table: TableBuilder, chains: Iterable<[string, Chain & { rules: string[] }]>): TableBuilder {
  const copy = new TableBuilder(table.namespace, table.family, table.name)
  for (const [name, set] of table.sets) copy.sets.set(name, set)
  for (const [name, chain] of [...table.chains, ...chains]) copy.chains.set(name, chain)
  return copy
}

/** As nft lists it: the prefix of a single address is that address. */
const asListed = (key: string) => key.replace(/(?<=^|\. )([0-9.]+)\/32\b/g, '$1').replace(/(?<=^|\. )([0-9a-f:]+)\/128\b/g, '$1')
