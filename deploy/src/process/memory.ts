import { readFileSync } from 'node:fs'
import { processTree } from './tree.js'

/** Memory of a process and of all that it started, as PSS in MiB: what two share is counted half to each. */
export function memoryOfTreeMiB(pid: number): number {
  return Math.round(processTree(pid).reduce((sum, each) => sum + pssKiB(each), 0) / 1024)
}

export function memoryMiB(pid: number): number {
  return Math.round(pssKiB(pid) / 1024)
}

function pssKiB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
