import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Clock, type Timer } from '@nubo/kernel'
import { identify, isAlive, type ProcessIdentity, signal } from '../process/identity.js'
import type { ServiceSpecification, ServiceStatus } from './protocol.js'

const shortestDelayMs = 250
const longestDelayMs = 10_000
/** A service that ran this long is well: its next end is a new trouble, not the old one again. */
const wellAfterMs = 30_000
const lookEveryMs = 500

/** One service: kept running until it is stopped, restarted with growing delays when it ends by itself. */
export class KeptService {
  private process: ProcessIdentity | undefined
  private child: ChildProcess | undefined
  private wanted = true
  private restartTimer: Timer | undefined
  private lookTimer: Timer | undefined
  private delayMs = shortestDelayMs
  private startedAtMs = 0
  private unexpectedEnds = 0
  private lastEnd: string | undefined

  constructor(
    private specification: ServiceSpecification,
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  get name(): string {
    return this.specification.name
  }

  get record() {
    return { specification: this.specification, process: this.process }
  }

  status(): ServiceStatus {
    const state = this.process ? 'running' : this.wanted ? 'waiting' : 'stopped'
    const { name, unexpectedEnds, lastEnd } = this
    return { name, state, process: this.process, unexpectedEnds, lastEnd }
  }

  /** Takes over a process that an earlier supervisor started; starts a new one where it is gone. */
  adopt(process: ProcessIdentity | undefined): void {
    if (process && isAlive(process)) {
      this.process = process
      this.startedAtMs = this.clock.monotonicMs()
      this.look()
    } else {
      this.start()
    }
  }

  /** Makes it run as the specification says: nothing where it does so already. */
  async ensure(specification: ServiceSpecification): Promise<void> {
    const same = specification.fingerprint === this.specification.fingerprint
    this.specification = specification
    if (same && this.process) return
    await this.stop()
    this.delayMs = shortestDelayMs
    this.start()
  }

  async restart(): Promise<void> {
    await this.stop()
    this.start()
  }

  /** Ends it: the stop signal, and SIGKILL after the grace. Settles when it is gone. */
  async stop(): Promise<void> {
    this.wanted = false
    this.restartTimer?.cancel()
    const { process, specification } = this
    if (process) {
      signal(process, specification.stopSignal)
      const end = this.clock.monotonicMs() + specification.stopGraceMs
      while (isAlive(process)) {
        if (this.clock.monotonicMs() >= end) signal(process, 'SIGKILL')
        await this.clock.sleep(20)
      }
    }
    this.lookTimer?.cancel()
    this.process = undefined
    this.child = undefined
    this.onChange()
  }

  /** Leaves it to the next supervisor: what becomes of it is no longer ours to mend. */
  leave(): void {
    this.wanted = false
    this.restartTimer?.cancel()
    this.lookTimer?.cancel()
  }

  private start(): void {
    this.wanted = true
    const { specification } = this
    mkdirSync(dirname(specification.logFile), { recursive: true })
    const log = openSync(specification.logFile, 'a')
    const child = spawn(specification.command, specification.args, {
      cwd: specification.workingDirectory,
      env: specification.environment,
      uid: specification.runAs?.uid,
      gid: specification.runAs?.gid,
      // A session of its own and a file to print to: it lives on when the supervisor does not.
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.child = child
    this.startedAtMs = this.clock.monotonicMs()
    child.once('error', (error) => this.ended(child, error.message))
    child.once('exit', (code, signalName) => this.ended(child, signalName ?? `code ${code}`))
    this.process = child.pid === undefined ? undefined : identify(child.pid)
    this.onChange()
  }

  private ended(child: ChildProcess, how: string): void {
    if (child === this.child) this.endedByItself(how)
  }

  /** A process that is not our child tells nobody of its end: we look. */
  private look(): void {
    this.lookTimer = this.clock.after(lookEveryMs, () => {
      if (!this.process || this.child) return
      if (isAlive(this.process)) this.look()
      else this.endedByItself('unknown')
    })
  }

  private endedByItself(how: string): void {
    if (!this.wanted) return
    this.process = undefined
    this.child = undefined
    this.lastEnd = how
    this.unexpectedEnds++
    if (this.clock.monotonicMs() - this.startedAtMs > wellAfterMs) this.delayMs = shortestDelayMs
    this.restartTimer = this.clock.after(this.delayMs, () => this.start())
    this.delayMs = Math.min(this.delayMs * 2, longestDelayMs)
    this.onChange()
  }
}
