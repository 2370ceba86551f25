import { readdir, readFile } from 'node:fs/promises'
import { systemClock } from '@nubo/kernel'
import { rounded } from './statistics.js'

const ticksPerSecond = 100
const idleSeconds = 10

export interface Footprint {
  name: string
  pssMiB: number
  /** Of one core, while nothing is asked of it. */
  cpuPercent: number
}

/** Memory (proportional set size) and CPU of idle programs, each with its children. */
export async function footprints(programs: readonly { name: string; pid: number }[]): Promise<Footprint[]> {
  const trees = await Promise.all(programs.map(async ({ name, pid }) => ({ name, pids: await treeOf(pid) })))
  const before = await Promise.all(trees.map(({ pids }) => cpuTicks(pids)))
  await systemClock.sleep(idleSeconds * 1000)
  return await Promise.all(
    trees.map(async ({ name, pids }, index) => ({
      name,
      pssMiB: rounded(await pssMiB(pids)),
      cpuPercent: rounded((((await cpuTicks(pids)) - before[index]!) / ticksPerSecond / idleSeconds) * 100, 2),
    })),
  )
}

async function treeOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => undefined)
    if (stat) parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

async function pssMiB(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0)
    }),
  )
  return each.reduce((sum, kib) => sum + kib, 0) / 1024
}

async function cpuTicks(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
    }),
  )
  return each.reduce((sum, ticks) => sum + ticks, 0)
}
