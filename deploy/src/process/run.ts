import { spawn } from 'node:child_process'

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Written to the program's standard input, which is then closed. */
  input?: string
  /** Unix ids to run as; supplementary groups are dropped. Needs root. */
  uid?: number
  gid?: number
  timeoutMs?: number
}

export interface RunResult {
  /** Exit code, or 128 when a signal ended the program. */
  code: number
  stdout: string
  stderr: string
}

/** Runs a program to its end and gives what it printed. Rejects only where it could not be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      uid: options.uid,
      gid: options.gid,
      timeout: options.timeoutMs,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    // A program that ends without reading its input closes the pipe: its exit code says what happened.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }))
  })
}

/** Like `run`, but anything except exit code 0 is an error that carries the program's last words. */
export async function runOrThrow(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options)
  if (result.code !== 0) {
    const words = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('; ')
    throw new Error(`${command} ${args[0] ?? ''} failed with exit code ${result.code}: ${words}`)
  }
  return result.stdout
}
