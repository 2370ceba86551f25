import { identify, type ProcessIdentity, processTree, signal } from '@nubo/deploy/installation'
import type { Injected } from './fault.js'

/** Stops a process with all that it started, as a machine does that swaps or is migrated; then lets it go on. */
export function pause(name: string, process: ProcessIdentity | undefined): Injected {
  if (!process) return { did: `${name}: nothing to pause, it was down already` }
  const stopped = processTree(process.pid).flatMap((pid) => identify(pid) ?? [])
  for (const each of stopped) signal(each, 'SIGSTOP')
  return {
    did: `${name} paused`,
    // Each by itself: where the first of them was killed meanwhile, the others wait to hear of it.
    heal: async () => {
      for (const each of stopped) signal(each, 'SIGCONT')
    },
  }
}
