import { Cloud } from './cloud/cloud.js'
import { World } from './core/world.js'
import { Troubles } from './faults.js'
import { MutatedStatements, type Mutation } from './mutation.js'
import type { Engine } from './postgres/engine.js'
import { Hosts } from './judge/hosts.js'
import { Numbers } from './judge/numbers.js'
import { checkRecords, checkStopped } from './judge/promises.js'
import { Records } from './judge/records.js'
import {
  checkAtRest,
  checkCalm,
  checkFindings,
  checkHints,
  checkKeys,
  checkNothingLeft,
  checkRest,
  checkStarted,
  readServers,
} from './judge/rest.js'

export interface HistoryResult {
  seed: number
  /** Absent where every promise was kept. */
  broken?: Breach
  /** Whether a statement said the rule of the mutation, where there is one of statements. */
  metRule: boolean
  fingerprint: string
  events: number
  virtualSeconds: number
  accepted: number
  /** All that happened: empty where every promise was kept, and nobody wants to read it. */
  history: string
}

/** What ended a history: a promise that was broken, or an error of our own. */
export interface Breach {
  name: string
  message: string
}

export interface HistoryOptions {
  /** Whether the history tells what each program logged. */
  verbose?: boolean
  /** What is broken on purpose. */
  mutation?: Mutation
}

/** All goes on by itself, long before any deadline would end it. */
const restWithinMs = 10 * 60_000
const lookEveryMs = 1_000
/** Who was paused when peace began goes on by then. */
const everybodyIsBackMs = 120_000

/** One short life of a cloud: requests and mishaps for a while, then peace, then everything is deleted. */
export async function runHistory(engine: Engine, seed: number, options: HistoryOptions = {}): Promise<HistoryResult> {
  const { verbose = false, mutation } = options
  const world = new World(engine, seed, { verbose })
  const mutated = mutation && !mutation.module ? new MutatedStatements(mutation) : undefined
  if (mutated) world.postgres.inPlaceOf = (text) => mutated.inPlaceOf(text)
  const cloud = new Cloud(world, world.chance.fork())
  const life = new Life(cloud)
  let broken: Breach | undefined
  try {
    await life.lead()
  } catch (error) {
    const { name, message } = error as Error
    broken = { name, message }
    world.trace.note('judge', `${broken.name}: ${broken.message}`)
  }
  const { trace, simulation } = world
  return {
    seed,
    ...(broken && { broken }),
    metRule: mutated?.isMet ?? false,
    fingerprint: trace.fingerprint,
    events: simulation.eventCount,
    virtualSeconds: Math.round(simulation.nowMs / 1000),
    accepted: cloud.tenant.accepted.size,
    history: broken || verbose ? trace.toString() : '',
  }
}

class Life {
  private broken: Error | undefined
  /** Nothing goes wrong in it. */
  private isCalm = false
  private readonly hosts: Hosts

  constructor(private readonly cloud: Cloud) {
    const records = new Records(cloud.world)
    const numbers = new Numbers(records)
    this.hosts = new Hosts(cloud, records)
    // A commit is the engine's event: what it breaks is thrown when the event is over.
    cloud.world.postgres.onCommit = (written) => {
      try {
        checkRecords(records, written)
        checkStopped(cloud, records, written)
        numbers.check(written)
      } catch (error) {
        this.broken ??= error as Error
      }
    }
  }

  async lead(): Promise<void> {
    await this.struggle()
    await this.rest(checkAtRest)
    checkStarted(this.cloud)
    if (this.isCalm) checkCalm(this.cloud)
    await this.deleteAll()
    await this.rest(checkNothingLeft)
  }

  /** Requests and mishaps at moments that the seed decides. */
  private async struggle(): Promise<void> {
    const { cloud } = this
    const { simulation } = cloud.world
    const chance = cloud.world.chance.fork()
    this.isCalm = chance.happens(0.1)
    const troubles = new Troubles(cloud, chance.fork())
    if (chance.happens(0.35)) await this.finish(cloud.tenant.connect())
    const isLong = cloud.world.isHasty || chance.happens(0.03)
    const lengthMs = isLong ? chance.between(20_000, 100_000) : chance.spread(1_000, 15_000)
    const happen = (count: number, action: () => void) => {
      for (let i = 0; i < count; i++) simulation.after(chance.between(0, lengthMs), action)
    }
    happen(chance.whole(2, 6), () => cloud.tenant.act())
    if (chance.happens(0.2)) happen(1, () => cloud.tenant.leave())
    if (!this.isCalm) {
      happen(chance.whole(1, 6), () => troubles.strike())
      troubles.begin()
    }
    await this.pass(lengthMs)
    troubles.end()
  }

  /** Every server, those too whose request was never answered. */
  private async deleteAll(): Promise<void> {
    await this.finish(this.cloud.tenant.networks.deleteAll())
    for (const { id, vmState } of readServers(this.cloud)) {
      if (vmState !== 'deleted') await this.finish(this.cloud.tenant.delete(id))
    }
  }

  /** Until nothing is to do any more, and everything is as `check` has it. Throws what was still wrong after the longest time. */
  private async rest(check: (cloud: Cloud) => void): Promise<void> {
    const { simulation } = this.cloud.world
    const beganMs = simulation.nowMs
    for (;;) {
      await this.pass(lookEveryMs)
      const tookMs = simulation.nowMs - beganMs
      if (tookMs > everybodyIsBackMs) checkHints(this.cloud)
      try {
        checkRest(this.cloud)
        checkKeys(this.cloud)
        check(this.cloud)
        return checkFindings(await this.finish(this.cloud.examine()))
      } catch (error) {
        if (tookMs > restWithinMs || this.broken) throw error
      }
    }
  }

  private async pass(milliseconds: number): Promise<void> {
    await this.finish(new Promise<void>((resolve) => void this.cloud.world.simulation.after(milliseconds, resolve)))
  }

  /** Lets events happen until this is done, and judges after each. */
  private async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false
    const noteEnd = () => void (isDone = true)
    work.then(noteEnd, noteEnd)
    await this.cloud.world.simulation.run(() => {
      if (this.broken) throw this.broken
      this.hosts.check()
      return isDone
    })
    return await work
  }
}
