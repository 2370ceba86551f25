import { Readable, Writable } from 'node:stream'
import { run } from '../run.js'
import type { Output, World } from '../world.js'

export interface Outcome {
  code: number
  stdout: string
  stderr: string
  json(): any
}

export interface TestWorldOptions {
  environment?: Record<string, string | undefined>
  terminal?: boolean
  columns?: number
  currentDirectory?: string
  homeDirectory?: string
  stdin?: Buffer
  secret?: string
  /** What is typed when something is asked; undefined: there is no terminal. */
  answer?: string
  /** Sleeps end only by their signal: for races that a sleep must not win. */
  neverWake?: boolean
  /** Called before each sleep, with how often that happened so far: the place to press Ctrl-C. */
  beforeSleep?: (count: number, interrupt: () => void) => void
}

/** A world in memory, where time passes only by sleeping. */
export class TestWorld implements World {
  readonly environment: World['environment']
  readonly currentDirectory: string
  readonly homeDirectory: string
  readonly systemDirectory = '/dev/null'
  readonly stdin: World['stdin']
  readonly stdout: Memory
  readonly stderr: Memory
  private nowMs = 0
  private sleeps = 0
  private keys = 0
  private readonly handlers = new Set<() => void>()

  constructor(private readonly options: TestWorldOptions = {}) {
    this.environment = options.environment ?? {}
    // Below a file there can be no other: nothing of this machine's configuration is found.
    this.currentDirectory = options.currentDirectory ?? '/dev/null'
    this.homeDirectory = options.homeDirectory ?? '/dev/null'
    this.stdin = Readable.from(options.stdin ? [options.stdin] : [])
    this.stdout = new Memory(options.terminal === true, options.columns)
    this.stderr = new Memory(options.terminal === true, options.columns)
  }

  monotonicMs(): number {
    return this.nowMs
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.sleeps += 1
    this.options.beforeSleep?.(this.sleeps, () => this.handlers.forEach((handler) => handler()))
    if (this.options.neverWake) {
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    }
    // Once round the event loop: where something races against a sleep, the real work gets its turn.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    this.nowMs += delayMs
  }

  newKey(): string {
    this.keys += 1
    return `key-${this.keys}`
  }

  onInterrupt(handler: () => void): () => void {
    this.handlers.add(handler)
    return () => this.handlers.delete(handler)
  }

  askSecret(): Promise<string | undefined> {
    return Promise.resolve(this.options.secret)
  }

  ask(question: string): Promise<string | undefined> {
    if (this.options.answer !== undefined) this.stderr.write(question)
    return Promise.resolve(this.options.answer)
  }
}

class Memory implements Output {
  private readonly chunks: Buffer[] = []
  readonly stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      this.chunks.push(chunk)
      done()
    },
  })

  constructor(
    readonly isTerminal: boolean,
    private readonly width: number | undefined,
  ) {}

  get columns(): number | undefined {
    return this.isTerminal ? (this.width ?? 80) : undefined
  }

  write(text: string | Uint8Array): void {
    this.chunks.push(Buffer.from(text))
  }

  text(): string {
    return Buffer.concat(this.chunks).toString('utf8')
  }
}

/** Runs one command line, given as it would be typed; words with spaces go as an array. */
export async function nubo(line: string | string[], options: TestWorldOptions = {}): Promise<Outcome> {
  const world = new TestWorld(options)
  const code = await run(Array.isArray(line) ? line : line.split(' ').filter((word) => word !== ''), world)
  const stdout = world.stdout.text()
  return { code, stdout, stderr: world.stderr.text(), json: () => JSON.parse(stdout) }
}
