import { CloudError, type Clock } from '@nubo/kernel'
import type { ProcessObject } from './engine/piece.js'
import type { NetworkFiles } from './files.js'
import type { ProcessRunner } from './process-runner.js'
import type { LiveProcess, ProcessTable } from './process-table.js'
import { entering } from './entering.js'

export interface DaemonsOptions {
  processes: ProcessRunner
  table: ProcessTable
  files: NetworkFiles
  clock: Clock
  /** Where is written which process is which. */
  directory: string
}

/** What a process was started as, and what it knows. */
interface Note {
  pid: number
  startedAt: string
  command: string
  reads: string
  remembers: readonly string[]
}

type Wanted = ReadonlyMap<string, ProcessObject>

const startTimeoutMs = 20_000
const endWithinMs = 3_000
const lookMs = 20
const pause = { firstMs: 1_000, longestMs: 60_000 }

/**
 * Programs that run beside us and outlive us. Each puts itself into the background once it serves, and its number into the
 * file that it is told; one is ours only if it was started with the name of that file.
 */
export class Daemons {
  /** By name, what was found to run as it is to. */
  private readonly settled = new Map<string, ProcessObject>()
  /** By name, when one that would not start is tried again. */
  private readonly failures = new Map<string, { message: string; pauseMs: number; notBeforeMs: number }>()

  constructor(private readonly options: DaemonsOptions) {}

  /** Ends what is not wanted any more. */
  async retire(wanted: Wanted): Promise<void> {
    for (const name of await this.names()) {
      if (wanted.has(name)) continue
      await this.end(name)
      await this.forget(name)
    }
  }

  /** Ends what runs in these namespaces. */
  async leave(namespaces: ReadonlySet<string>): Promise<void> {
    if (namespaces.size === 0) return
    for (const name of await this.names()) {
      const running = await this.find(name)
      const note = running && (await this.noteOf(name, running))
      if (!note || namespaces.has((JSON.parse(note.command) as string[])[0]!)) await this.end(name)
    }
  }

  /**
   * Starts what is wanted and does not run, tells what runs that there is news to read, starts anew what would not forget.
   * What was settled the last time and is wanted as it was is not looked at: `revive` does that.
   * @returns what would not start, for a person.
   */
  async settle(wanted: Wanted): Promise<string[]> {
    const problems: string[] = []
    // Its name says whose trouble it is.
    const note = ({ name }: ProcessObject, message: string) => problems.push(`${name}: ${message}`)
    for (const process of wanted.values()) {
      if (this.settled.get(process.name) === process) continue
      const failure = this.failures.get(process.name)
      if (failure && this.options.clock.monotonicMs() < failure.notBeforeMs) {
        note(process, failure.message)
        continue
      }
      try {
        await this.settleOne(process)
        this.settled.set(process.name, process)
        this.failures.delete(process.name)
      } catch (error) {
        if (!(error instanceof CloudError)) throw error
        this.noteFailure(process.name, error.message)
        note(process, error.message)
      }
    }
    return problems
  }

  /** Starts again what has ended; asks no more of what runs. Gives what would not start, for a person. */
  async revive(wanted: Wanted): Promise<string[]> {
    const ended = new Map<string, ProcessObject>()
    for (const [name, process] of wanted) {
      if (await this.find(name)) continue
      this.settled.delete(name)
      ended.set(name, process)
    }
    return await this.settle(ended)
  }

  /** The next time all are looked at. */
  doubt(): void {
    this.settled.clear()
  }

  private async names(): Promise<Set<string>> {
    const paths = await this.options.files.list(this.options.directory)
    return new Set(paths.map((path) => /([^/]+)\.(pid|json)$/.exec(path)?.[1]).filter((name) => name !== undefined))
  }

  private async settleOne(wanted: ProcessObject): Promise<void> {
    const { table } = this.options
    const running = await this.find(wanted.name)
    const note = running && (await this.noteOf(wanted.name, running))
    if (!running || !note || this.mustStartAnew(note, wanted)) {
      if (running) await this.end(wanted.name)
      return await this.start(wanted)
    }
    if (note.reads === wanted.reads && isSame(note.remembers, wanted.remembers)) return
    if (note.reads !== wanted.reads) table.signal(running.pid, 'SIGHUP')
    await this.write({ ...note, reads: wanted.reads, remembers: wanted.remembers }, wanted.name)
  }

  private mustStartAnew(note: Note, wanted: ProcessObject): boolean {
    const kept = new Set(wanted.remembers)
    return note.command !== commandOf(wanted) || note.remembers.some((one) => !kept.has(one))
  }

  private async start(wanted: ProcessObject): Promise<void> {
    const { processes, files } = this.options
    const { name, namespace, program, args } = wanted
    await files.write(this.notePath(name), '')
    const command = [program, ...args, this.pidArgument(name)]
    const [first, ...rest] = namespace === '' ? command : [...entering(namespace), ...command]
    await processes.run(first!, rest, { timeoutMs: startTimeoutMs })
    const running = await this.find(name)
    if (!running) throw new CloudError('Unavailable', `${program} of ${name} ended at once`)
    const { pid, startedAt } = running
    await this.write({ pid, startedAt, command: commandOf(wanted), reads: wanted.reads, remembers: wanted.remembers }, name)
  }

  /** @throws `Unavailable` where it does not end. */
  private async end(name: string): Promise<void> {
    const { table, clock } = this.options
    this.settled.delete(name)
    const running = await this.find(name)
    if (!running) return
    table.signal(running.pid, 'SIGTERM')
    for (let waitedMs = 0; await this.stillRuns(running); waitedMs += lookMs) {
      if (waitedMs >= endWithinMs) table.signal(running.pid, 'SIGKILL')
      if (waitedMs >= endWithinMs * 2) throw new CloudError('Unavailable', `the process ${running.pid} of ${name} does not end`)
      await clock.sleep(lookMs)
    }
  }

  private async stillRuns({ pid, startedAt }: LiveProcess & { pid: number }): Promise<boolean> {
    return (await this.options.table.find(pid))?.startedAt === startedAt
  }

  /** The process that runs under this name. */
  private async find(name: string): Promise<(LiveProcess & { pid: number }) | undefined> {
    const { files, table } = this.options
    const pid = Number(await files.read(this.pidPath(name)))
    if (!Number.isInteger(pid) || pid <= 1) return undefined
    const found = await table.find(pid)
    return found?.args.includes(this.pidArgument(name)) ? { ...found, pid } : undefined
  }

  /** What it was started as; undefined where that was not written down any more. */
  private async noteOf(name: string, { pid, startedAt }: LiveProcess & { pid: number }): Promise<Note | undefined> {
    const text = await this.options.files.read(this.notePath(name))
    const note = text ? (JSON.parse(text) as Note) : undefined
    return note?.pid === pid && note.startedAt === startedAt ? note : undefined
  }

  private async write(note: Note, name: string): Promise<void> {
    await this.options.files.write(this.notePath(name), JSON.stringify(note))
  }

  private async forget(name: string): Promise<void> {
    await this.options.files.remove(this.notePath(name))
    await this.options.files.remove(this.pidPath(name))
    this.failures.delete(name)
  }

  private noteFailure(name: string, message: string): void {
    const before = this.failures.get(name)?.pauseMs ?? pause.firstMs / 2
    const pauseMs = Math.min(before * 2, pause.longestMs)
    this.failures.set(name, { message, pauseMs, notBeforeMs: this.options.clock.monotonicMs() + pauseMs })
  }

  private pidPath = (name: string) => `${this.options.directory}/${name}.pid`
  private notePath = (name: string) => `${this.options.directory}/${name}.json`
  private pidArgument = (name: string) => `--pid-file=${this.pidPath(name)}`
}

const commandOf = ({ namespace, program, args }: ProcessObject) => JSON.stringify([namespace, program, ...args])
const isSame = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one, index) => one === b[index])
