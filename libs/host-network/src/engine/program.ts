import { assert } from '@nubo/kernel'
import type { KernelObject, SettingObject } from './objects.js'
import { Piece, type ProcessObject } from './piece.js'
import type { Chain, NamedSet, Table } from './tables.js'

/** By who says what is in them, and of which thing of the plan. */
type KnownPieces = ReadonlyMap<unknown, ReadonlyMap<string, Piece>>

/** All that is to be on a host: what of it is there already is left alone, and what else of ours is there is taken away. */
export class Program {
  private readonly saidTwice = new Set<string>()

  /** @param known the same pieces, where they are to be found again. */
  constructor(
    readonly pieces: ReadonlySet<Piece> = new Set(),
    readonly known: KnownPieces = new Map(),
  ) {}

  get objects(): Map<string, KernelObject> {
    return this.together(({ objects }) => objects)
  }

  get settings(): SettingObject[] {
    return [...this.objects.values()].filter((object): object is SettingObject => object.kind === 'setting')
  }

  get files(): Map<string, string> {
    return this.together(({ files }) => files)
  }

  get processes(): Map<string, ProcessObject> {
    return this.together(({ processes }) => processes)
  }

  /**
   * What of the plan cannot be done on this host, for a person. That two pieces say one thing is a defect of ours, which must
   * not stop all others: the first one counts. It is found where all of the program is looked at.
   */
  get troubles(): string[] {
    const twice = [...this.saidTwice].map((what) => `${what} is said by two`)
    return [...[...this.pieces].flatMap(({ troubles }) => troubles), ...twice]
  }

  /** By key, links of others that must be there, and what to say to a person where one is not. */
  get needs(): Map<string, string> {
    return this.together(({ needs }) => needs)
  }

  get tables(): Map<string, Table> {
    const tables = new Map<string, WholeTable>()
    for (const piece of this.pieces) {
      for (const [key, table] of piece.tables) {
        const { namespace, family, name } = table
        const whole = tables.get(key) ?? { namespace, family, name, chains: new Map(), sets: new Map() }
        tables.set(key, whole)
        for (const twice of addContents(whole, table)) this.saidTwice.add(twice)
      }
    }
    return tables
  }

  /** Whether any piece names the table, or a set of it. */
  names(table: string, set?: string): boolean {
    return [...this.pieces].some(({ tables }) => (set === undefined ? tables.has(table) : tables.get(table)?.sets.has(set)))
  }

  private together<T>(shareOf: (piece: Piece) => ReadonlyMap<string, T>): Map<string, T> {
    const all = new Map<string, T>()
    for (const piece of this.pieces) {
      const share = shareOf(piece)
      if (share.size === 0) continue
      for (const [key, one] of share) {
        if (all.has(key)) this.saidTwice.add(key)
        else all.set(key, one)
      }
    }
    return all
  }
}

interface WholeTable extends Table {
  chains: Map<string, Chain>
  sets: Map<string, NamedSet & { elements: Map<string, string> }>
}

/** Gives what was there already, which stays. */
function addContents(whole: WholeTable, { chains, sets, name: table }: Table): string[] {
  const twice: string[] = []
  for (const [name, chain] of chains) {
    if (whole.chains.has(name)) twice.push(`the chain ${name} of ${table}`)
    else whole.chains.set(name, chain)
  }
  for (const [name, { elements, ...of }] of sets) {
    const set = whole.sets.get(name) ?? { ...of, elements: new Map() }
    whole.sets.set(name, set)
    for (const [key, value] of elements) {
      if (set.elements.has(key)) twice.push(`${key} of ${name}`)
      else set.elements.set(key, value)
    }
  }
  return twice
}

type Say<Of extends readonly unknown[]> = (piece: Piece, ...of: Of) => void

/** Gathers a program piece by piece. A piece that is made of the same as in the program before is that very piece. */
export class ProgramBuilder {
  private readonly pieces = new Set<Piece>()
  private readonly known = new Map<unknown, Map<string, Piece>>()

  constructor(private readonly before = new Program()) {}

  /**
   * @param name tells it from the others that are said by the same: mostly an id.
   * @param say what the piece says, by all that it is made of and by nothing else.
   * @param of is compared by identity, each of them and what it consists of: texts, numbers, parts of a plan, lists of these.
   */
  piece<Of extends readonly unknown[]>(name: string, say: Say<Of>, ...of: Of): void {
    const pieces = this.known.get(say) ?? new Map<string, Piece>()
    this.known.set(say, pieces)
    const there = pieces.get(name)
    assert(!there || isSameList(there.madeOf, of), `${name} is one piece`)
    if (there) return
    const before = this.before.known.get(say)?.get(name)
    const piece = before && isSameList(before.madeOf, of) ? before : made(name, say, of, before)
    pieces.set(name, piece)
    this.pieces.add(piece)
  }

  get program(): Program {
    return new Program(this.pieces, this.known)
  }
}

/** One that cannot be made is a defect of ours, which must not stop all others: it stays as it was before. */
function made<Of extends readonly unknown[]>(name: string, say: Say<Of>, of: Of, before: Piece | undefined): Piece {
  try {
    const piece = new Piece(of)
    say(piece, ...of)
    return piece
  } catch (error) {
    const asBefore = new Piece(of, before)
    asBefore.trouble(`${name} cannot be made: ${(error as Error).message}`)
    return asBefore
  }
}

const isSameList = (a: readonly unknown[], b: readonly unknown[]) =>
  a.length === b.length && a.every((one, index) => isSame(one, b[index]))

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.is(a[key as keyof typeof a], b[key as keyof typeof b]))
  )
}
