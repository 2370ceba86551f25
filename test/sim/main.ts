import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock } from '@nubo/kernel'
import { liveAll } from './crew.js'
import { raceScenes } from './differential.js'
import { runHistory, type HistoryResult } from './history.js'
import type { Mutation } from './mutation.js'
import { mutations } from './mutations.js'
import { Engine } from './postgres/engine.js'
import { inWords as triedInWords, tryMutations } from './try-mutations.js'

const usage = `npm run sim                        500 histories, from seed 1 on
npm run sim -- --histories 2000 --from 501
npm run sim -- --minutes 5         as many as there is time for
npm run sim -- --seed 26           one history, told in full
npm run sim -- --mutation NAME     histories of a cloud with a rule broken on purpose, until one shows it
npm run sim -- --mutations         each rule broken on purpose, one after the other: within how many histories it shows
npm run sim -- --differential --rounds 2000
                                   what races on a real PostgreSQL, held against each order of it (--from 1)
                  --threads 1       how many histories at once (as many as the machine has cores)

Mutations: ${mutations.map(({ name }) => name).join(', ')}`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const wanted = read(args)
  if (typeof wanted === 'string') {
    console.error(`sim: ${wanted}\n\n${usage}`)
    return 2
  }
  if ('seed' in wanted) return await tell(wanted.seed)
  if ('isTable' in wanted) return await tabulate(wanted)
  return 'rounds' in wanted ? await race(wanted) : await search(wanted)
}

interface Search {
  from: number
  histories: number
  forMs: number
  threads: number
  mutation?: Mutation
}
interface Races {
  from: number
  rounds: number
}
type Table = Omit<Search, 'forMs'> & { isTable: true }
type Wanted = { seed: number } | Races | Search | Table

function read(args: string[]): Wanted | string {
  const number = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { seed: number, minutes: number, histories: number, from: number, threads: number, rounds: number }
  try {
    const { values } = parseArgs({ args, options: { ...options, mutation: number, mutations: flag, differential: flag } })
    const { mutation: name, mutations: isTable, differential, ...rest } = values
    const mutation = mutations.find((each) => each.name === name)
    if (name !== undefined && !mutation) return `there is no mutation ${name}`
    const figures = Object.entries(rest).map(([name, text]) => [name, Number(text)] as const)
    const wrong = figures.find(([, figure]) => !(figure > 0))
    if (wrong) return `--${wrong[0]} takes a number above 0`
    const { seed, minutes, histories, rounds = 200, from = 1, threads = availableParallelism() } = Object.fromEntries(figures)
    if (seed !== undefined) return { seed }
    if (differential) return { from, rounds }
    if (isTable) return { isTable, from, histories: histories ?? 500, threads }
    const forMs = minutes === undefined ? Infinity : minutes * 60_000
    return {
      from,
      histories: histories ?? (minutes === undefined ? 500 : Infinity),
      forMs,
      threads,
      ...(mutation && { mutation }),
    }
  } catch (error) {
    return (error as Error).message
  }
}

async function tell(seed: number): Promise<number> {
  const engine = await Engine.open()
  const result = await runHistory(engine, seed, { verbose: true })
  await engine.close()
  console.log(result.history)
  console.log(`\n${inWords(result)}`)
  return result.broken ? 1 : 0
}

async function tabulate(options: Table): Promise<number> {
  let failed = 0
  for await (const tried of tryMutations(mutations, options)) {
    console.log(triedInWords(tried))
    if (tried.failed) failed++
  }
  return failed > 0 ? 1 : 0
}

async function race({ from, rounds }: Races): Promise<number> {
  const broken = await raceScenes(from, rounds, (told) => console.log(told))
  console.log(`${rounds} rounds from ${from} on raced on PostgreSQL: ${broken} of them equal no order.`)
  return broken > 0 ? 1 : 0
}

async function search({ from, histories, forMs, threads, mutation }: Search): Promise<number> {
  const total = { histories: 0, servers: 0, events: 0, virtualSeconds: 0, broken: 0 }
  let began = { ms: 0, cpu: process.cpuUsage() }
  const elapsedMs = () => systemClock.monotonicMs() - began.ms
  function* seeds() {
    // When a thread asks for its first: until then each makes a database.
    began = { ms: systemClock.monotonicMs(), cpu: process.cpuUsage() }
    const isOver = () => elapsedMs() >= forMs || (mutation && total.broken > 0)
    for (let seed = from; seed < from + histories && !isOver(); seed++) yield seed
  }
  const onLived = (result: HistoryResult) => {
    total.histories++
    total.servers += result.accepted
    total.events += result.events
    total.virtualSeconds += result.virtualSeconds
    if (!result.broken) return
    total.broken++
    console.log(inWords(result))
  }
  await liveAll(seeds(), { threads, onLived, ...(mutation && { mutation }) })
  const { user, system } = process.cpuUsage(began.cpu)
  console.log(
    `${total.histories} histories from seed ${from} on, ${Math.round(total.histories / (elapsedMs() / 60_000))} a minute, ` +
      `${Math.round((user + system) / 1000 / total.histories)} ms of CPU each: ` +
      `${total.servers} servers, ${total.events} events, ${Math.round(total.virtualSeconds / 3600)} hours of virtual time. ` +
      `${total.broken} broke a promise.`,
  )
  return total.broken > 0 === Boolean(mutation) ? 0 : 1
}

function inWords({ seed, broken, events, virtualSeconds, fingerprint }: HistoryResult): string {
  const outcome = broken ? `${broken.name}: ${broken.message}` : 'every promise was kept'
  return `seed ${seed} (${events} events, ${virtualSeconds} s, ${fingerprint.slice(0, 12)}): ${outcome}`
}
