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

/** @param proc where the machine's processes are listed. */
export function processTable(proc = '/proc', signal: ProcessTable['signal'] = sendSignal): ProcessTable {
  return { find: (pid) => find(`${proc}/${pid}`), signal }
}

async function find(directory: string): Promise<LiveProcess | undefined> {
  try {
    const [stat, commandLine] = await Promise.all(['stat', 'cmdline'].map((name) => readFile(`${directory}/${name}`, 'utf8')))
    // The name, in brackets, may hold anything; third is the state, 22nd the time of its start.
    const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { startedAt: fields[19]!, args: commandLine!.split('\0').slice(0, -1) }
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** To a process or, with its number negative, to a group of them; no error where there is none. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
