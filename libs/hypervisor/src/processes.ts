import { CloudError } from '@nubo/kernel'
import { execFile } from 'node:child_process'

/** Runs other programs. Comes in from outside, so that a simulation can do without them. */
export interface ProcessRunner {
  /**
   * Runs a program to its end, without a shell.
   * @returns what it wrote to its standard output.
   * @throws `Unavailable` when it cannot be run, ends with another code than 0, or takes longer than `timeoutMs`; what it
   * wrote to its standard error is in the message.
   */
  run(program: string, args: readonly string[], options: { timeoutMs: number }): Promise<string>
}

export const systemProcesses: ProcessRunner = {
  run: (program, args, { timeoutMs }) =>
    new Promise((resolve, reject) => {
      execFile(program, args, { timeout: timeoutMs, killSignal: 'SIGKILL', env: environment }, (error, stdout, stderr) => {
        if (!error) return resolve(stdout)
        const why = error.killed ? `it took longer than ${timeoutMs} ms` : stderr.trim() || error.message
        reject(new CloudError('Unavailable', `${program} failed: ${why}`, { cause: error }))
      })
    }),
}

/** Messages in one language, programs from the system alone. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }
