import type { PoolUse, WorkLeft } from '@nubo/database'
import { counted, type Clock } from '@nubo/kernel'
import type { Strain } from '@nubo/service-kit'

/** How much may be left to do until no more is taken on. */
export interface WorkLimits {
  /** Servers that wait for a scheduler. */
  placements: number
  /** Commands that wait for a host, for each host there is. */
  commandsPerHost: number
  /** How long the first of the servers that wait for a scheduler may have waited, in seconds. */
  placementSeconds: number
  /** How long the first of those that wait for a connection to the database may have waited, in ms. */
  connectionMs: number
}

export interface WorkLeftOptions {
  read: () => Promise<WorkLeft>
  /** How the connections to the database are used. */
  poolUse: () => Pick<PoolUse, 'longestWaitMs'>
  clock: Clock
  limits: WorkLimits
  /** Told when it begins to be too much, and when it is no more. */
  onChange: (strain: Strain | undefined) => void
}

/** Looked at once in this time at the most, and only while somebody asks. */
const lookEveryMs = 1_000
/** What was seen longer ago says nothing any more: nobody asked meanwhile. */
const goodForMs = 5_000

/**
 * Whether the cloud is behind with its work. The open steps in the database are the work that is left, whatever the queue
 * holds of it: one statement counts them, in the background, while requests come. Nobody waits for it.
 */
export class WorkLeftGauge {
  private seen: { work: WorkLeft | 'unknown'; atMs: number } | undefined
  private lookedAtMs = -Infinity
  private looking = false
  private told: string | undefined

  constructor(private readonly options: WorkLeftOptions) {}

  strain(): Strain | undefined {
    const nowMs = this.options.clock.monotonicMs()
    if (!this.looking && nowMs - this.lookedAtMs >= lookEveryMs) void this.look(nowMs)
    const strain = this.ofDatabase(nowMs) ?? this.ofWork(nowMs)
    if (strain?.code !== this.told) this.options.onChange(strain)
    this.told = strain?.code
    return strain
  }

  private async look(nowMs: number): Promise<void> {
    this.looking = true
    this.lookedAtMs = nowMs
    const work = await this.options.read().catch(() => 'unknown' as const)
    this.seen = { work, atMs: this.options.clock.monotonicMs() }
    this.looking = false
  }

  private ofDatabase(nowMs: number): Strain | undefined {
    const { limits, poolUse } = this.options
    const silentMs = this.looking ? nowMs - this.lookedAtMs : 0
    if (poolUse().longestWaitMs > limits.connectionMs || silentMs > limits.connectionMs)
      return { code: 'database', words: 'the database does not answer in time' }
    return undefined
  }

  private ofWork(nowMs: number): Strain | undefined {
    const { limits } = this.options
    if (!this.seen || nowMs - this.seen.atMs > goodForMs) return undefined
    const { work } = this.seen
    if (work === 'unknown') return { code: 'database', words: 'the database cannot be reached' }
    const { placements, commands, hosts, oldestPlacementSeconds } = work
    if (placements >= limits.placements) return { code: 'placements', words: `${placements} servers wait for a scheduler` }
    if (oldestPlacementSeconds > limits.placementSeconds)
      return { code: 'placements', words: `a server has waited ${Math.round(oldestPlacementSeconds)} s for a scheduler` }
    if (commands >= limits.commandsPerHost * Math.max(1, hosts))
      return { code: 'commands', words: `${commands} commands wait for ${counted(hosts, 'host')}` }
    return undefined
  }
}
