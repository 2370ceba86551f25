import { waitFor } from '@nubo/deploy'
import { seededRandom, systemClock } from '@nubo/kernel'
import {
  type Check,
  Bystanders,
  checksAtRest,
  checksWhenEmpty,
  noServerRunsTwice,
  nothingIsLive,
  recordsAlwaysHold,
  journalsAreAcknowledged,
  plansAreApplied,
  type Scene,
  Watch,
} from './checks/index.js'
import { FaultRunner } from './fault-runner.js'
import { cutPower } from './faults/hosts.js'
import { faults } from './faults/index.js'
import { Ledger } from './load/ledger.js'
import { Load } from './load/load.js'
import { Requests } from './load/requests.js'
import { makePlan, type PlannedFault } from './plan.js'
import { setUp, type Stage } from './stage.js'
import type { Timeline } from './timeline.js'
import type { World } from './world.js'

const goneWithinMs = 120_000

export interface RunOptions {
  seed: number
  durationMs: number
  everyMs: number
  longestMs: number
  workers: number
  mostServers: number
  pauseMs: number
  /** Everything must have come to rest so long after the last fault was healed. */
  restWithinMs: number
}

export interface Verdict {
  check: string
  violations: string[]
}

export interface RunResult {
  ledger: Ledger
  faults: readonly { fault: string; target: string }[]
  /** From the last healing until nothing was under way. */
  restSeconds: number
  verdicts: Verdict[]
}

/** One run: load and faults side by side, then everything healed, at rest, looked at, deleted, and looked at again. */
export async function runChaos(world: World, options: RunOptions, timeline: Timeline): Promise<RunResult> {
  const stage = await setUp(world)
  const ledger = new Ledger()
  const scene = { world, ledger }
  const plan = planOf(world, options, timeline)
  const runner = new FaultRunner(world, timeline)
  const fell = (host: string) => runner.done.some(({ fault, target }) => fault === cutPower.name && target === host)
  const bystanders = new Bystanders(world, fell)
  await using guestsWatch = new Watch(noServerRunsTwice(world))
  await using recordsWatch = new Watch(recordsAlwaysHold(world))
  timeline.note(`begins: seed ${options.seed}, ${options.durationMs / 1000} s, ${plan.length} faults planned`)
  const load = new Load({ ...options, ...stage, client: stage.demo, ledger })
  await loadWhile(load, options.durationMs, () => runner.run(plan))
  const restSeconds = await rest(scene, options.restWithinMs, timeline)
  const verdicts = await judge(scene, [...checksAtRest, bystanders.check, guestsWatch.check, recordsWatch.check], timeline)
  await deleteAll(stage, ledger, timeline)
  await rest(scene, options.restWithinMs, timeline)
  verdicts.push(...(await judge(scene, checksWhenEmpty, timeline)))
  return { ledger, faults: runner.done, restSeconds, verdicts }
}

function planOf(world: World, { seed, durationMs, everyMs, longestMs }: RunOptions, timeline: Timeline): PlannedFault[] {
  const possible = faults.filter((fault) => {
    const lacks = fault.lacks?.(world)
    if (lacks !== undefined) timeline.note(`left out: ${fault.name}, for want of ${lacks}`)
    return lacks === undefined
  })
  return makePlan({ random: seededRandom(seed), faults: possible, durationMs, everyMs, longestMs })
}

/** The load goes on for as long as was asked, and until the last fault is healed. */
async function loadWhile(load: Load, durationMs: number, work: () => Promise<void>): Promise<void> {
  const running = load.run()
  try {
    await Promise.all([work(), systemClock.sleep(durationMs)])
  } finally {
    load.stop()
    await running
  }
}

/** Waits until nothing is under way any more; what still is after the time is told by the checks. Gives the seconds. */
async function rest(scene: Scene, withinMs: number, timeline: Timeline): Promise<number> {
  const beganMs = systemClock.monotonicMs()
  await scene.world.waitUntilWell()
  const isQuiet = async () => {
    const open = await Promise.all([nothingIsLive, journalsAreAcknowledged, plansAreApplied].map((check) => check.find(scene)))
    return open.flat().length === 0
  }
  const quiet = await waitFor('everything rests', isQuiet, { timeoutMs: withinMs, everyMs: 500 }).catch(() => false)
  const seconds = (systemClock.monotonicMs() - beganMs) / 1000
  timeline.note(quiet ? `at rest after ${seconds.toFixed(1)} s` : `NOT at rest after ${seconds.toFixed(1)} s`)
  return seconds
}

async function judge(scene: Scene, checks: readonly Check[], timeline: Timeline): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  for (const { name, find } of checks) {
    const violations = await find(scene)
    verdicts.push({ check: name, violations })
    timeline.note(`${violations.length ? 'BROKEN' : 'held'}: ${name}`)
    for (const violation of violations) timeline.note(`  ${violation}`)
  }
  return verdicts
}

async function deleteAll({ demo }: Stage, ledger: Ledger, timeline: Timeline): Promise<void> {
  const requests = new Requests(demo, ledger)
  const left = async () => (await demo.compute<{ servers: { id: string }[] }>('GET', '/servers')).body.servers
  const servers = await left()
  timeline.note(`deleting what is left: ${servers.length} servers`)
  for (const { id } of servers) await requests.change('delete', id)
  await waitFor('all servers are gone', async () => (await left()).length === 0, { timeoutMs: goneWithinMs, everyMs: 500 })
}
