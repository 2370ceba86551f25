import { CloudError } from '@nubo/kernel'
import { spawn } from 'node:child_process'
import { sendSignal } from './process-table.js'

/** Runs other programs. Comes in from outside, so that a test can put them into namespaces of its own. */
export interface ProcessRunner {
  /**
   * Runs a program to its end, without a shell.
   * @returns what it wrote to its standard output.
   * @throws `Unavailable` when it cannot be run, ends with another code than 0, or takes longer than `timeoutMs`; what it
   * wrote to its standard error is in the message.
   */
  run(program: string, args: readonly string[], options: { timeoutMs: number; input?: string }): Promise<string>
}

/** Messages in one language, programs from the system alone. */
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' }

/** @param before a program and its first arguments that all others are run by, such as `nsenter`. */
export function systemProcesses(before: readonly string[] = []): ProcessRunner {
  return {
    run: (program, args, options) => {
      const [first, ...rest] = [...before, program, ...args]
      return runToItsEnd(first!, rest, options)
    },
  }
}

function runToItsEnd(
  program: string,
  args: readonly string[],
  { timeoutMs, input = '' }: { timeoutMs: number; input?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: Error) =>
      reject(new CloudError('Unavailable', `${program} failed: ${why}`, cause && { cause }))
    // In a group of its own: what it began ends with it where it takes too long.
    const child = spawn(program, args, { timeout: timeoutMs, killSignal: 'SIGKILL', env: environment, detached: true })
    const [stdout, stderr]: Buffer[][] = [[], []]
    child.stdout.on('data', (bytes: Buffer) => stdout!.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => stderr!.push(bytes))
    child.on('error', (error) => fail(error.message, error))
    child.on('exit', (_, signal) => {
      if (signal === 'SIGKILL') sendSignal(-child.pid!, 'SIGKILL')
    })
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout!).toString())
      const words = Buffer.concat(stderr!).toString().trim()
      fail(signal === 'SIGKILL' ? `it took longer than ${timeoutMs} ms` : words || `it ended with ${code ?? signal}`)
    })
    // Whoever does not read to the end has ended, and says why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}
