import { parseArgs } from 'node:util'
import { systemClock } from '@nubo/kernel'
import { runHistory, type HistoryResult } from './history.js'
import { Engine } from './postgres/engine.js'

const usage = `npm run sim                        500 histories, from seed 1 on
npm run sim -- --histories 2000 --from 501
npm run sim -- --minutes 5         as many as there is time for
npm run sim -- --seed 26           one history, told in full`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const wanted = read(args)
  if (typeof wanted === 'string') {
    console.error(`sim: ${wanted}\n\n${usage}`)
    return 2
  }
  // Where a service would end: nobody handled it.
  process.on('unhandledRejection', (error) => {
    console.error('an error that nobody handled would have ended a process:', error)
    process.exit(1)
  })
  const engine = await Engine.open()
  try {
    return 'seed' in wanted ? await tell(engine, wanted.seed) : await search(engine, wanted)
  } finally {
    await engine.close()
  }
}

type Wanted = { seed: number } | { from: number; histories: number; untilMs: number }

function read(args: string[]): Wanted | string {
  const number = { type: 'string' } as const
  try {
    const { values } = parseArgs({ args, options: { seed: number, minutes: number, histories: number, from: number } })
    const figures = Object.entries(values).map(([name, text]) => [name, Number(text)] as const)
    const wrong = figures.find(([, figure]) => !(figure > 0))
    if (wrong) return `--${wrong[0]} takes a number above 0`
    const { seed, minutes, histories, from = 1 } = Object.fromEntries(figures)
    if (seed !== undefined) return { seed }
    const untilMs = minutes === undefined ? Infinity : systemClock.monotonicMs() + minutes * 60_000
    return { from, histories: histories ?? (minutes === undefined ? 500 : Infinity), untilMs }
  } catch (error) {
    return (error as Error).message
  }
}

async function tell(engine: Engine, seed: number): Promise<number> {
  const result = await runHistory(engine, seed, { verbose: true })
  console.log(result.history)
  console.log(`\n${inWords(result)}`)
  return result.broken ? 1 : 0
}

async function search(engine: Engine, { from, histories, untilMs }: Exclude<Wanted, { seed: number }>): Promise<number> {
  const beganMs = systemClock.monotonicMs()
  const broken: HistoryResult[] = []
  let [events, servers, virtualSeconds, count] = [0, 0, 0, 0]
  for (let seed = from; count < histories && systemClock.monotonicMs() < untilMs; seed++) {
    const result = await runHistory(engine, seed)
    count++
    events += result.events
    servers += result.accepted
    virtualSeconds += result.virtualSeconds
    if (!result.broken) continue
    broken.push(result)
    console.log(inWords(result))
  }
  const minutes = (systemClock.monotonicMs() - beganMs) / 60_000
  console.log(
    `${count} histories from seed ${from} on, ${Math.round(count / minutes)} a minute: ${servers} servers, ${events} events, ` +
      `${Math.round(virtualSeconds / 3600)} hours of virtual time. ${broken.length} broke a promise.`,
  )
  return broken.length > 0 ? 1 : 0
}

function inWords({ seed, broken, events, virtualSeconds, fingerprint }: HistoryResult): string {
  const outcome = broken ? `${broken.name}: ${broken.message}` : 'every promise was kept'
  return `seed ${seed} (${events} events, ${virtualSeconds} s, ${fingerprint.slice(0, 12)}): ${outcome}`
}
