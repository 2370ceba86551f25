import { spawn } from 'node:child_process'

/**
 * Runs a program and gives its exit code and what it printed. `onLine` sees each line as it comes.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, uid?: number, gid?: number, onLine?: (line: string) => void }} options
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { onLine, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let rest = ''
    const take = (text) => {
      output += text
      const lines = (rest + text).split(/[\r\n]+/)
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim()) onLine?.(line.trim())
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 128, output }))
  })
}

let inView = 0

/**
 * Ctrl-C reaches every program on the terminal. One that is in view decides itself how to end, and we end with it; otherwise
 * we end at once.
 */
export function endOnInterrupt() {
  process.on('SIGINT', () => {
    if (inView === 0) process.exit(130)
  })
}

/** Runs a program on our own terminal; gives its exit code. */
export function runInView(command, args, options = {}) {
  inView++
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    const passOn = (signal) => child.kill(signal)
    process.once('SIGTERM', passOn)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      inView--
      process.off('SIGTERM', passOn)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 128))
    })
  })
}

/** The last lines of a program's output that say something, for an error. */
export function lastWords(output, count = 3) {
  const lines = output.split(/[\r\n]+/).map((line) => line.trim())
  return lines.filter(Boolean).slice(-count).join('; ')
}
