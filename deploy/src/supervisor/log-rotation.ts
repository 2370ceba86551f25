import { copyFileSync, existsSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

export const largestLogBytes = 10 * 2 ** 20

/**
 * Keeps every `*.log` under the folder from filling the disk: one that has outgrown `largestBytes` is copied to `*.log.1`
 * and emptied in place, because its writer keeps it open, for appending.
 */
export function rotateLogs(directory: string, largestBytes = largestLogBytes): void {
  if (!existsSync(directory)) return
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) rotateLogs(path, largestBytes)
    else if (entry.name.endsWith('.log') && statSync(path).size > largestBytes) {
      copyFileSync(path, `${path}.1`)
      truncateSync(path)
    }
  }
}
