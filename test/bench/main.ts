import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repository } from '../support/repository.js'
import { isWorse, readEarlier, valuesBefore, type EarlierFigures } from './comparison.js'
import { isMet, type Figure } from './figures.js'
import { parts, type Part } from './parts.js'
import { shareOfACore } from './processor-time.js'
import { Stages } from './stage.js'
import { table } from './table.js'

interface PartReport {
  name: string
  title: string
  before: MachineState
  after: MachineState
  figures?: Figure[]
  note?: string
  error?: string
}

interface MachineState {
  /** Of the last minute. */
  load: number
  /** Which share of a core a busy program gets. */
  coreShare: number
}

const results = join(repository, '.nubo')

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const order = await readOrder(args).catch((error: Error) => error.message)
  if (typeof order === 'string') {
    console.error(`bench: ${order}`)
    return 2
  }
  const { chosen, earlier } = order
  const startedAt = new Date()
  await using stages = new Stages()
  // The second Ctrl-C ends us as it ends any program; what we started ends with us.
  process.once('SIGINT', () => void stages[Symbol.asyncDispose]().finally(() => process.exit(130)))
  const reports: PartReport[] = []
  for (const part of chosen) reports.push(await run(part, stages, earlier))
  tellTheEnd(reports, earlier)
  console.log(`\nWritten to ${await write(startedAt, reports)}`)
  return reports.some(({ error }) => error !== undefined) ? 1 : 0
}

/** Which parts are to run, and what an earlier run measured, if they are held against one. */
interface Order {
  chosen: readonly Part[]
  earlier: EarlierFigures
}

/** Or what is wrong with the arguments. */
async function readOrder(args: string[]): Promise<Order | string> {
  const known = parts.map(({ name }) => name).join(', ')
  const { only, against } = parseArguments(args, known)
  const unknown = only?.find((name) => !parts.some((part) => part.name === name))
  if (unknown !== undefined) return `there is no part ${unknown}: ${known}`
  return {
    chosen: only ? parts.filter(({ name }) => only.includes(name)) : parts,
    earlier: against === undefined ? new Map() : await readEarlier(against),
  }
}

function parseArguments(args: string[], known: string): { only?: string[] | undefined; against?: string | undefined } {
  try {
    return parseArgs({ args, options: { only: { type: 'string', multiple: true }, against: { type: 'string' } } }).values
  } catch (error) {
    const usage = `It takes --only <part>, as often as you like (${known}), and --against <the JSON of an earlier run>`
    throw new Error(`${(error as Error).message}. ${usage}`, { cause: error })
  }
}

/** Measures one part and prints it. One that fails says so, and the others go on. */
async function run({ name, title, measure }: Part, stages: Stages, earlier: EarlierFigures): Promise<PartReport> {
  const before = machineState()
  console.log(`\n${title} (${shownState(before)}; --only ${name})`)
  try {
    const { figures, note } = await measure(stages)
    if (figures.length > 0) console.log(table(figures, valuesBefore(figures, earlier.get(name))))
    if (note !== undefined) console.log(`  ${note}`)
    return { name, title, before, after: machineState(), figures, ...(note === undefined ? {} : { note }) }
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(`  FAILED: ${why}`)
    return { name, title, before, after: machineState(), error: why }
  }
}

function tellTheEnd(reports: readonly PartReport[], earlier: EarlierFigures): void {
  const failed = reports.filter(({ error }) => error !== undefined)
  const judged = reports.flatMap(({ title, figures = [] }) => figures.map((figure) => ({ title, figure, met: isMet(figure) })))
  const missed = judged.filter(({ met }) => met === false)
  console.log(
    `\n${judged.filter(({ met }) => met === true).length} aims met, ${missed.length} missed, ${failed.length} parts failed`,
  )
  for (const { title, figure } of missed) console.log(`  missed: ${title}: ${figure.name}`)
  for (const { title } of failed) console.log(`  failed: ${title}`)
  for (const { title, name, figures = [] } of reports) tellWorse(title, figures, valuesBefore(figures, earlier.get(name)))
}

function tellWorse(title: string, figures: readonly Figure[], before: readonly (number | undefined)[]): void {
  for (const [index, figure] of figures.entries()) {
    const was = before[index]
    if (was !== undefined && isWorse(figure, was)) console.log(`  worse than before: ${title}: ${figure.name}`)
  }
}

async function write(startedAt: Date, reports: readonly PartReport[]): Promise<string> {
  await mkdir(results, { recursive: true })
  const file = join(results, `bench-${startedAt.toISOString().replaceAll(':', '-')}.json`)
  const machine = { node: process.version, cpus: cpus().length, cpuModel: cpus()[0]?.model }
  await writeFile(file, JSON.stringify({ startedAt: startedAt.toISOString(), machine, parts: reports }, null, 2))
  return file
}

function machineState(): MachineState {
  return { load: loadavg()[0]!, coreShare: shareOfACore() }
}

function shownState({ load, coreShare }: MachineState): string {
  return `load ${load.toFixed(2)}, a busy program gets ${Math.round(coreShare * 100)}% of a core`
}
