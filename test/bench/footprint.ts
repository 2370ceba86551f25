import { readdir, readFile } from 'node:fs/promises'
import { systemClock } from '@nubo/kernel'

const ticksPerSecond = 100

export interface Footprint {
  name: string
  pssMiB: number
  /** Of one core, while nothing is asked of it. */
  cpuPercent: number
}

/** Memory (proportional set size) and CPU of programs over `seconds`, each with its children, the ended ones included. */
export async function footprints(programs: readonly { name: string; pid: number }[], seconds: number): Promise<Footprint[]> {
  const before = await Promise.all(programs.map(({ pid }) => cpuSeconds(pid)))
  await systemClock.sleep(seconds * 1000)
  return await Promise.all(
    programs.map(async ({ name, pid }, index) => ({
      name,
      pssMiB: await pssMiB(pid),
      cpuPercent: (((await cpuSeconds(pid)) - before[index]!) / seconds) * 100,
    })),
  )
}

async function pssMiB(root: number): Promise<number> {
  const each = await Promise.all(
    (await treeOf(root)).map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)
    }),
  )
  return sum(each) / 1024
}

/**
 * What a program and its children have had of processors, the ended ones included: user and system time of the living
 * (fields 14 and 15 of proc_pid_stat(5)) and of children that ended (16 and 17).
 */
export async function cpuSeconds(root: number): Promise<number> {
  const each = await Promise.all((await treeOf(root)).map(async (pid) => sum((await statFields(pid)).slice(11, 15).map(Number))))
  return sum(each) / ticksPerSecond
}

async function treeOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry)) parents.set(Number(entry), Number((await statFields(Number(entry)))[1]))
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

/** What follows the program's name, which may hold anything, in /proc/<pid>/stat; nothing of a process that ended meanwhile. */
async function statFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat ? stat.slice(stat.lastIndexOf(')') + 2).split(' ') : []
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
