import { readFileSync } from 'node:fs'

/** Where something is mounted, as this process sees it (proc(5), mountinfo: blanks in a path are written as `\\040`). */
export function mountPoints(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): Set<string> {
  const lines = mountinfo.trim().split('\n')
  return new Set(
    lines.map((line) => line.split(' ')[4]!.replaceAll(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))),
  )
}
