import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Names a process so that another one, on the same machine and in the same container, can tell for certain that it is gone:
 * boot, process namespace, process id and the time of its start (a process id is given away again).
 */
export function processIdentity(pid = process.pid): string | undefined {
  const startTime = startTimeOf(pid)
  return startTime === undefined ? undefined : `${surroundings()}:${pid}:${startTime}`
}

/** True only where `identity` is of this boot and namespace, and no such process runs. False also means: who knows. */
export function isKnownDead(identity: string): boolean {
  const [, surroundingsOfIt, pid, startTime] = /^(.+):(\d+):(\d+)$/.exec(identity) ?? []
  return surroundingsOfIt === surroundings() && startTimeOf(Number(pid)) !== startTime
}

function surroundings(): string {
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${readlinkSync('/proc/self/ns/pid')}`
}

/** Field 22 of /proc/PID/stat (proc(5)): clock ticks since the boot. The second field may itself hold spaces and parentheses. */
function startTimeOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...rest] = fields.slice(fields.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; it only waits for its parent to hear of it.
    return state === 'Z' ? undefined : rest[18]
  } catch {
    return undefined
  }
}
