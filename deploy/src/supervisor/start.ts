import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { identify, isAlive, type ProcessIdentity } from '../process/identity.js'
import { waitFor } from '../process/wait.js'
import { askSupervisor } from './client.js'

const program = join(import.meta.dirname, '../supervisor.js')

interface SupervisorState {
  process: ProcessIdentity
  /** Of the code that it runs. */
  fingerprint: string
}

/** The installation's supervisor from outside: found by its record, never by its name. */
export class SupervisorHandle {
  constructor(
    /** Where its socket and records are. */
    readonly directory: string,
    private readonly logDirectory: string,
  ) {}

  get process(): ProcessIdentity | undefined {
    const state = this.state
    return state && isAlive(state.process) ? state.process : undefined
  }

  /**
   * Starts one where there is none; one that runs older code hands its services over to a new one. They go on either way.
   */
  async ensure(node: string): Promise<void> {
    const fingerprint = ownFingerprint()
    if (this.process && this.state?.fingerprint === fingerprint) return
    if (this.process) {
      const before = this.process
      await this.ask({ verb: 'leave' })
      await waitFor('the old supervisor does not leave', () => !isAlive(before), { timeoutMs: 10_000 })
    }
    mkdirSync(this.directory, { recursive: true, mode: 0o700 })
    mkdirSync(this.logDirectory, { recursive: true, mode: 0o755 })
    rmSync(join(this.directory, 'supervisor.sock'), { force: true })
    const process = this.spawn(node)
    writeFileSync(this.stateFile, JSON.stringify({ process, fingerprint } satisfies SupervisorState))
    const answers = () => {
      if (!isAlive(process)) throw new Error(`the supervisor ended: see ${this.logFile}`)
      return this.ask({ verb: 'status' }).catch(() => undefined)
    }
    await waitFor('the supervisor does not answer', answers, { timeoutMs: 15_000, everyMs: 20 })
  }

  ask(request: Parameters<typeof askSupervisor>[1]) {
    return askSupervisor(this.directory, request)
  }

  /** Ends all services and the supervisor itself. */
  async shutDown(): Promise<void> {
    const process = this.process
    if (!process) return
    await this.ask({ verb: 'shutDown' })
    await waitFor('the supervisor does not end', () => !isAlive(process), { timeoutMs: 10_000 })
    rmSync(this.stateFile, { force: true })
  }

  private spawn(node: string): ProcessIdentity {
    const log = openSync(this.logFile, 'a')
    const child = spawn(
      node,
      ['--max-semi-space-size=1', '--max-old-space-size=64', program, this.directory, this.logDirectory],
      {
        cwd: '/',
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' },
        detached: true,
        stdio: ['ignore', log, log],
      },
    )
    closeSync(log)
    child.unref()
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (!identity) throw new Error('the supervisor could not be started')
    return identity
  }

  private get logFile(): string {
    return join(this.logDirectory, 'supervisor.log')
  }

  private get stateFile(): string {
    return join(this.directory, 'supervisor.json')
  }

  private get state(): SupervisorState | undefined {
    try {
      return JSON.parse(readFileSync(this.stateFile, 'utf8')) as SupervisorState
    } catch {
      return undefined
    }
  }
}

function ownFingerprint(): string {
  const folder = dirname(program)
  const files = [
    'supervisor.js',
    ...['supervisor', 'process'].flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file))),
  ]
  const hash = createHash('sha256')
  for (const file of files.filter((name) => name.endsWith('.js')).toSorted()) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}
