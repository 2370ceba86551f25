import { hash } from 'node:crypto'

export type TableFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge'

/** Where a chain is called from by the kernel; a chain without is jumped to. */
export interface Hook {
  type: 'filter' | 'nat' | 'route'
  hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  priority: number
  policy: 'accept' | 'drop'
}

export interface Chain {
  hook?: Hook
  /** In nft's words. Each is marked with its digest, by which it is known again. */
  rules: readonly string[]
  /**
   * What becomes of it where nftables refuses one of its rules: that one is left out, because each lets something through, or
   * the chain drops everything. Of a chain that says nothing all that was to come with the rule is refused too.
   */
  ifRefused?: 'leave-out' | 'shut'
}

/** A set, or, with `data`, a map. */
export interface NamedSet {
  /** Of a key, in nft's words: `ifname . ipv4_addr`. */
  type: string
  /** Of a value: `verdict`, `ipv4_addr`. */
  data?: string
  /** Its keys may be prefixes and ranges, none of which may overlap. */
  interval?: boolean
  /** By key, the value; an empty text in a set. Without quotes, parts joined by ` . `. */
  elements: ReadonlyMap<string, string>
}

export interface Table {
  namespace: string
  family: TableFamily
  name: string
  chains: ReadonlyMap<string, Chain>
  sets: ReadonlyMap<string, NamedSet>
}

export const tableKey = ({ namespace, family, name }: Pick<Table, 'namespace' | 'family' | 'name'>) =>
  `${namespace} ${family} ${name}`

/** What a rule is known by again: the kernel gives it back in words of its own, but its comment as it was. */
export function ruleMark(rule: string): string {
  const known = marks.get(rule)
  if (known !== undefined) return known
  if (marks.size >= marksAtMost) marks.clear()
  const mark = `nubo ${hash('sha1', rule).slice(0, 16)}`
  marks.set(rule, mark)
  return mark
}

/** The same thousands of rules are looked at with every change. */
const marks = new Map<string, string>()
const marksAtMost = 100_000
