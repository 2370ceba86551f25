import { parseArgs } from 'node:util'
import { systemRandom } from '@nubo/kernel'
import { countFailures, countOperations } from './operations.js'
import { tell, write } from './report.js'
import { runChaos, type RunOptions } from './run.js'
import { Timeline } from './timeline.js'
import { World } from './world.js'

const usage = `npm run chaos -- [--minutes 30] [--seed N] [--keep] [--name chaos]
  --minutes  how long load and faults go on; then everything is healed and looked at
  --seed     what is done, to what and when; another one each time where it is not given
  --keep     leaves the cloud as it is where a check did not hold, to be looked at
  --name     of its data folder, below .nubo/test`

interface Arguments {
  minutes: number
  seed: number
  keep: boolean
  name: string
}

process.exitCode = await main(process.argv.slice(2))
// Idle keep-alive connections would hold the process for seconds.
process.exit()

async function main(args: string[]): Promise<number> {
  const chosen = readArguments(args)
  if (typeof chosen === 'string') {
    console.error(`chaos: ${chosen}\n${usage}`)
    return 2
  }
  const world = await World.start(chosen.name)
  process.once('SIGINT', () => void world[Symbol.asyncDispose]().finally(() => process.exit(130)))
  let held = false
  try {
    held = await run(world, optionsFor(chosen))
    return held ? 0 : 1
  } finally {
    if (chosen.keep && !held) console.log(`The cloud is left as it is, in ${world.directory}`)
    else await world[Symbol.asyncDispose]()
  }
}

/** True where every check held. */
async function run(world: World, options: RunOptions): Promise<boolean> {
  const timeline = new Timeline()
  const result = await runChaos(world, options, timeline)
  const report = { options, result, operations: await countOperations(world), failures: await countFailures(world) }
  tell(report)
  console.log(`Written to ${write(report, timeline)}`)
  return result.verdicts.every(({ violations }) => violations.length === 0)
}

function readArguments(args: string[]): Arguments | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        minutes: { type: 'string', default: '30' },
        seed: { type: 'string', default: String(systemRandom.bytes(4).readUInt32BE()) },
        keep: { type: 'boolean', default: false },
        name: { type: 'string', default: 'chaos' },
      },
    })
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
    if (!(minutes > 0)) return `${values.minutes} is no number of minutes`
    if (!Number.isInteger(seed) || seed < 0) return `${values.seed} is no seed: it is a whole number`
    return { ...values, minutes, seed }
  } catch (error) {
    return (error as Error).message
  }
}

/** A short run has its faults closer together, and none that lasts long. */
function optionsFor({ minutes, seed }: Arguments): RunOptions {
  const durationMs = minutes * 60_000
  const isLong = minutes > 5
  return {
    seed,
    durationMs,
    everyMs: isLong ? 8_000 : 4_000,
    longestMs: isLong ? 120_000 : 10_000,
    workers: 4,
    mostServers: 14,
    pauseMs: 1_500,
    restWithinMs: 6 * 60_000,
  }
}
