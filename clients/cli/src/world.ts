import { randomUUID } from 'node:crypto'
import { homedir } from 'node:os'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** Where the program writes: a terminal, a file, a pipe, or a test's memory. */
export interface Output {
  write(text: string | Uint8Array): unknown
  /** The stream itself, for bytes that must wait until the reader takes them. */
  readonly stream: NodeJS.WritableStream
  readonly isTerminal: boolean
  /** Width of the terminal in cells; undefined where there is none. */
  readonly columns: number | undefined
}

/** Everything the program takes from outside, so that a test can stand in for all of it. */
export interface World {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly currentDirectory: string
  readonly homeDirectory: string
  /** /etc: where the machine's own configuration lies. */
  readonly systemDirectory: string
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  /** Milliseconds that only ever grow. */
  monotonicMs(): number
  /** Resolves after `delayMs`, or rejects when the signal fires. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Something that nobody has thought of before. */
  newKey(): string
  /** Runs `handler` on Ctrl-C in place of dying at once; returns how to stop listening. */
  onInterrupt(handler: () => void): () => void
  /** Asks on the terminal without showing what is typed; undefined where there is no terminal to ask on. */
  askSecret(question: string): Promise<string | undefined>
  /** Asks on the terminal; undefined where there is none to ask on. */
  ask(question: string): Promise<string | undefined>
}

/** The real world: this process, its streams and its clock. */
export function processWorld(): World {
  return {
    environment: process.env,
    currentDirectory: process.cwd(),
    homeDirectory: homedir(),
    systemDirectory: '/etc',
    stdin: process.stdin,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    monotonicMs: () => performance.now(),
    sleep: async (delayMs, signal) => {
      await delay(delayMs, undefined, signal ? { signal } : {})
    },
    newKey: () => randomUUID(),
    onInterrupt(handler) {
      process.on('SIGINT', handler)
      return () => process.off('SIGINT', handler)
    },
    askSecret: (question) => askOnTerminal(question, new Writable({ write: (_chunk, _encoding, done) => done() })),
    ask: (question) => askOnTerminal(question, process.stderr),
  }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => stream.write(text),
    stream,
    get isTerminal() {
      return stream.isTTY === true
    },
    get columns() {
      // A terminal that does not know its size says 0.
      return stream.isTTY ? stream.columns || 80 : undefined
    },
  }
}

/** @param echo where what is typed is shown. */
async function askOnTerminal(question: string, echo: NodeJS.WritableStream): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  process.stderr.write(question)
  const lines = createInterface({ input: process.stdin, output: echo, terminal: true })
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () => resolve(undefined))
      lines.once('close', () => resolve(undefined))
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
