import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Account } from './account.js'

export interface PrivateProgram {
  command: string
  args: readonly string[]
  cwd: string
  logFile: string
  runAs: Account | undefined
  /** What the kernel sends the program when we are gone, so that a killed test leaves nothing running. */
  signalWhenOrphaned: 'SIGINT' | 'SIGTERM' | 'SIGKILL'
}

/** A child of ours for as long as we live: what it prints goes to a file, and `setpriv` binds its life to ours. */
export class PrivateProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
    /** Settles when the program has ended. */
    readonly ended: Promise<void>,
  ) {}

  static start(program: PrivateProgram): PrivateProcess {
    const log = openSync(program.logFile, 'a')
    const identity = program.runAs
      ? [`--reuid=${program.runAs.uid}`, `--regid=${program.runAs.gid}`, '--clear-groups', '--no-new-privs']
      : []
    const child = spawn('setpriv', [...identity, '--pdeathsig', program.signalWhenOrphaned, program.command, ...program.args], {
      cwd: program.cwd,
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    return new PrivateProcess(child, program.logFile, ended)
  }

  get pid(): number {
    return this.child.pid!
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined
  }

  signal(name: NodeJS.Signals): void {
    if (!this.hasEnded) process.kill(this.pid, name)
  }

  /** The last lines that the program printed, for an error that tells why it would not start. */
  lastWords(): string {
    return readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-5).join('; ')
  }
}
