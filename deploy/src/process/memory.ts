import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process and of all that it started, as PSS in MiB: what two share is counted half to each. */
export function memoryOfTreeMiB(pid: number): number {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${name}/status`))?.[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [pid]
  for (const each of tree) tree.push(...(children.get(each) ?? []))
  return Math.round(tree.reduce((sum, each) => sum + pssKiB(each), 0) / 1024)
}

export function memoryMiB(pid: number): number {
  return Math.round(pssKiB(pid) / 1024)
}

function pssKiB(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
