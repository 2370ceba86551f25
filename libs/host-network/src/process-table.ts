import { readFile } from 'node:fs/promises'

/** A process that runs. */
export interface LiveProcess {
  /** With its number it names a process for as long as the machine runs: numbers are given again, but never at one time. */
  startedAt: string
  args: readonly string[]
}

export interface ProcessTable {
  find(pid: number): Promise<LiveProcess | undefined>
  /** No error where there is none. */
  signal(pid: number, signal: NodeJS.Signals): void
}

export const systemProcessTable: ProcessTable = {
  async find(pid) {
    try {
      const [stat, commandLine] = await Promise.all([
        readFile(`/proc/${pid}/stat`, 'utf8'),
        readFile(`/proc/${pid}/cmdline`, 'utf8'),
      ])
      // The name, in brackets, may hold anything; 22nd is the time of its start, third its state.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined
      return { startedAt: fields[19]!, args: commandLine.split('\0').slice(0, -1) }
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
      throw error
    }
  },
  signal(pid, signal) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  },
}
