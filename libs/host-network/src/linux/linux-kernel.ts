import { CloudError } from '@nubo/kernel'
import type { Kernel, KernelChanges, KernelState, OpenTable } from '../engine/kernel.js'
import { hostNamespace, keyOf, type KernelObject, type SettingObject } from '../engine/objects.js'
import type { Problem } from '../engine/refusals.js'
import type { TableChanges } from '../engine/table-difference.js'
import { tableKey } from '../engine/tables.js'
import { isOurNamespace } from '../names.js'
import type { ProcessRunner } from '../process-runner.js'
import { linesOf, type Line } from './commands.js'
import { nftScript } from './nft-script.js'
import { listingScript, parseListing, type Listing } from './listing.js'
import { forwardingOf, type ListedForwarding } from './read-forwarding.js'
import { objectsOf, type Listed, type ListedLink, type ListedNeighbour, type ListedRoute } from './read-links.js'
import { tablesOf } from './read-tables.js'
import { entering } from '../entering.js'

const timeoutMs = 60_000

/** The kernel of the machine that we run on, by iproute2 and nftables. */
export class LinuxKernel implements Kernel {
  /** @param processes run in the host's own network namespace. */
  constructor(private readonly processes: ProcessRunner) {}

  async read(settings: readonly SettingObject[]): Promise<KernelState> {
    const names = await this.json<{ name: string; id?: number }[]>('ip', ['-json', 'netns', 'list'])
    const ours = names.filter(({ name }) => isOurNamespace(name))
    const namespaces = ours.map(({ name }) => name)
    const pathsOf = Map.groupBy(settings, ({ namespace }) => namespace)
    const script = listingScript(
      [hostNamespace, ...namespaces],
      (namespace) => pathsOf.get(namespace)?.map(({ path }) => path) ?? [],
    )
    const listings = parseListing(await this.run('sh', [], script))
    const told: KernelObject[][] = [
      namespaces.map((namespace) => ({ kind: 'namespace', namespace, ...(!listings.get(namespace) && { broken: true }) })),
    ]
    const tables = new Map<string, OpenTable>()
    const listed: Listed[] = []
    for (const [namespace, listing] of listings) {
      if (!listing) continue
      listed.push(listedIn(namespace, listing))
      told.push(settingsIn(namespace, listing), forwardingOf(namespace, jsonOf<ListedForwarding[]>(listing.forwarding, [])))
      for (const [key, table] of tablesOf(namespace, jsonOf(listing.tables, { nftables: [] }))) tables.set(key, table)
    }
    const namespaceById = new Map(ours.flatMap(({ name, id }) => (id === undefined ? [] : [[id, name]])))
    told.push(objectsOf(listed, namespaceById))
    return { objects: new Map(told.flat().map((object) => [keyOf(object), object])), tables }
  }

  async change({ objects, tables }: KernelChanges): Promise<Problem[]> {
    const lines = objects.flatMap(linesOf)
    const isNamespace = ({ text }: Line) => text.startsWith('netns add ')
    return [
      ...(await this.batches(lines.filter(isNamespace))),
      ...(await this.changeTables(tables)),
      ...(await this.batches(lines.filter((line) => !isNamespace(line)))),
    ]
  }

  private async changeTables(tables: KernelChanges['tables']): Promise<Problem[]> {
    const problems: Problem[] = []
    for (const [namespace, changes] of Map.groupBy(tables, ({ table }) => table.namespace)) {
      const [program, args] = inNamespace(namespace, 'nft', ['-f', '-'])
      await this.run(program, args, nftScript(changes)).catch((error: unknown) =>
        problems.push(...refusalsOf(messageOf(error), changes).map(located(namespace))),
      )
    }
    return problems
  }

  /** The host's first: what is made there reaches into the others. Forwarding comes after the links that it is of. */
  private async batches(lines: readonly Line[]): Promise<Problem[]> {
    const problems: Problem[] = []
    const groups = [...Map.groupBy(lines, ({ tool, namespace }) => `${tool} ${namespace}`).values()]
    const rank = ([first]: Line[]) => ['ip', 'sh', 'bridge'].indexOf(first!.tool) + (first!.namespace === hostNamespace ? 0 : 10)
    for (const group of groups.toSorted((a, b) => rank(a) - rank(b))) problems.push(...(await this.batch(group)))
    return problems
  }

  private async batch(lines: readonly Line[]): Promise<Problem[]> {
    const { tool, namespace } = lines[0]!
    const input = tool === 'sh' ? shellScript(lines) : `${lines.map(({ text }) => text).join('\n')}\n`
    const [program, args] = inNamespace(namespace, tool, tool === 'sh' ? [] : ['-force', '-batch', '-'])
    try {
      await this.run(program, args, input)
      return []
    } catch (error) {
      return problemsOf(messageOf(error), lines).map(located(namespace))
    }
  }

  private async json<T>(program: string, args: readonly string[]): Promise<T> {
    const answer = await this.run(program, args, '')
    return JSON.parse(answer.trim() || '[]') as T
  }

  private run(program: string, args: readonly string[], input: string): Promise<string> {
    return this.processes.run(program, args, { timeoutMs, input })
  }
}

/** An array for each of the three, one after the other; nothing at all where there is nothing to list. */
function listedIn(namespace: string, { links: lines }: Listing): Listed {
  const entries = lines.filter((line) => line.startsWith('[')).flatMap((line) => JSON.parse(line) as object[])
  return {
    namespace,
    links: entries.filter((entry) => 'ifindex' in entry) as ListedLink[],
    neighbours: entries.filter((entry) => 'dst' in entry && 'state' in entry) as ListedNeighbour[],
    routes: entries.filter((entry) => 'dst' in entry && !('state' in entry)) as ListedRoute[],
  }
}

/** As they are now, those that somebody asked for. */
function settingsIn(namespace: string, { settings: lines }: Listing): SettingObject[] {
  return lines.flatMap((line): SettingObject[] => {
    const [, path, value] = /^([^:]+):(.*)$/.exec(line) ?? []
    return path && value ? [{ kind: 'setting', namespace, path, value: value.trim().split(/\s+/).join(' ') }] : []
  })
}

const jsonOf = <T>(lines: readonly string[], nothing: T): T => {
  const text = lines.join('\n').trim()
  return text === '' ? nothing : (JSON.parse(text) as T)
}

function inNamespace(namespace: string, program: string, args: readonly string[]): [string, string[]] {
  if (namespace === hostNamespace) return [program, [...args]]
  const [enter, ...words] = entering(namespace)
  return [enter, [...words, program, ...args]]
}

/** Ends badly where one of the lines does, and all the same goes on to the next. */
const shellScript = (lines: readonly Line[]) =>
  `${lines.map(({ text }) => `${text} || failed=1`).join('\n')}\nexit "\${failed:-0}"\n`

/** Links have the same names in each namespace: whose problem it is follows from that one's. */
const located = (namespace: string) => (problem: Problem) =>
  namespace === hostNamespace ? problem : { ...problem, why: `in ${namespace}: ${problem.why}` }

/** iproute2 says after each message which line it was about. */
function problemsOf(message: string, lines: readonly Line[]): Problem[] {
  const named = [...message.matchAll(/([^\n]*)\nCommand failed -:(\d+)/g)].map(([, why = '', number]) => {
    return { why, line: lines[Number(number) - 1] }
  })
  if (named.length === 0) return [{ why: message }]
  const problems = named.filter(({ why, line }) => !(line?.mayBeGone && why.includes('Cannot find device')))
  return problems.map(({ why, line }) => ({ why: `\`${line?.text}\`: ${why}` }))
}

/** nft names the line of each error that it finds; for one of them it makes none of the changes. */
function refusalsOf(message: string, changes: readonly TableChanges[]): Problem[] {
  const lines = changes.flatMap(({ table, changes: ofTable }) => ofTable.map((change) => ({ table, change })))
  const named = [...message.matchAll(/\/dev\/stdin:(\d+):[\d-]+: Error: ([^\n]*)/g)].flatMap(([, number, why]): Problem[] => {
    const line = lines[Number(number) - 1]
    if (line?.change.verb !== 'add-rule') return []
    const { chain, rule } = line.change
    return [{ why: `nft refuses \`${rule}\` in ${chain}: ${why}`, refused: { table: tableKey(line.table), chain, rule } }]
  })
  return named.length > 0 ? named : [{ why: message }]
}

function messageOf(error: unknown): string {
  if (error instanceof CloudError) return error.message
  throw error
}
