import { readFileSync } from 'node:fs'

/** One process and no later one that was given the same number: the pid, when it started, and in which boot of the machine. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks from boot to the start of the process: field 22 of /proc/<pid>/stat (proc(5)). */
  startTicks: number
  bootId: string
}

/**
 * Takes the start time out of the text of /proc/<pid>/stat, or undefined for a process that has ended and was not yet
 * waited for. The second field, the name, may hold spaces and brackets, so the fields are counted from its last bracket.
 */
export function startTicksOf(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  if (state === 'Z' || state === 'X') return undefined
  return Number(fields[19])
}

/** The identity of a running process, or undefined where there is none with this number. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const startTicks = startTicksOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    if (startTicks === undefined) return undefined
    return { pid, startTicks, bootId: bootId() }
  } catch {
    return undefined
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  return now !== undefined && now.startTicks === identity.startTicks && now.bootId === identity.bootId
}

/** Sends a signal to that very process; false where it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false
  try {
    process.kill(identity.pid, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
