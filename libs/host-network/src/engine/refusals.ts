import { Piece, withChains, type TableBuilder } from './piece.js'
import { Program } from './program.js'
import type { Chain } from './tables.js'

/** A rule that nftables would not take, and with it nothing of its transaction. */
export interface RefusedRule {
  /** By its key. */
  table: string
  chain: string
  rule: string
}

/** What could not be done, in words for a person. */
export interface Problem {
  why: string
  refused?: RefusedRule
}

/** True where the program has a way to go on without the rule. */
export function canBeWithout({ pieces }: Program, { table, chain }: RefusedRule): boolean {
  return [...pieces].some(({ tables }) => tables.get(table)?.chains.get(chain)?.ifRefused !== undefined)
}

/**
 * The program without rules that were refused, so that all others come into force: where each lets something through, it lets
 * less through; a chain that decides by all of its rules together is shut.
 */
export function withoutRefused(program: Program, refused: readonly RefusedRule[]): Program {
  return new Program(new Set([...program.pieces].map((piece) => pieceWithout(piece, refused))), program.known)
}

function pieceWithout(piece: Piece, refused: readonly RefusedRule[]): Piece {
  const own = refused.filter(({ table, chain }) => piece.tables.get(table)?.chains.has(chain))
  if (own.length === 0) return piece
  const reduced = new Piece(piece.madeOf, piece)
  for (const { table, chain, rule } of own) reduced.tables.set(table, tableWithout(reduced.tables.get(table)!, chain, rule))
  return reduced
}

const tableWithout = (table: TableBuilder, name: string, rule: string) =>
  withChains(table, [[name, withoutRule(table.chains.get(name)!, rule)]])

function withoutRule(chain: Chain & { rules: string[] }, rule: string): Chain & { rules: string[] } {
  return { ...chain, rules: chain.ifRefused === 'shut' ? ['drop'] : chain.rules.filter((each) => each !== rule) }
}
