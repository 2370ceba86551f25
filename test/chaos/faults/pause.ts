import { isAlive, type ProcessIdentity, processTree } from '@nubo/deploy/installation'
import type { Injected } from './fault.js'

/** Stops a process with all that it started, as a machine does that swaps or is migrated; then lets it go on. */
export function pause(name: string, process: ProcessIdentity | undefined): Injected {
  if (!process) return { did: `${name} was down already` }
  const stopped = processTree(process.pid)
  for (const pid of stopped) send(pid, 'SIGSTOP')
  return {
    did: `${name} paused`,
    heal: async () => {
      // Its end, if it came, ended the others too.
      if (isAlive(process)) for (const pid of stopped) send(pid, 'SIGCONT')
    },
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
