import { systemClock } from '@nubo/kernel'
import type { Cloud } from '../support/cloud.js'
import type { Figure } from './figures.js'
import { cpuSeconds } from './footprint.js'

const spinMs = 200

export interface Program {
  name: string
  pid: number
}

/** Every program of a cloud, its agents included. */
export function programsOf(cloud: Cloud): Program[] {
  return [
    ...cloud.names.map((name) => ({ name, pid: cloud.pidOf(name) })),
    { name: 'postgresql', pid: cloud.postgres.pid! },
    { name: 'redis', pid: cloud.redis.pid! },
  ]
}

/**
 * What `work` costs of processors, in each program and together, a piece. Others who load the machine change this much less
 * than they change how long it takes.
 */
export async function processorTime<T>(cloud: Cloud, work: () => Promise<T>, pieces: (result: T) => number) {
  const programs = programsOf(cloud)
  const read = () => Promise.all(programs.map(({ pid }) => cpuSeconds(pid)))
  const before = await read()
  const result = await work()
  const after = await read()
  const each = programs.map(({ name }, index) => ({
    name,
    milliseconds: ((after[index]! - before[index]!) * 1000) / pieces(result),
  }))
  return { result, each, milliseconds: each.reduce((sum, { milliseconds }) => sum + milliseconds, 0) }
}

export function processorFigures(
  piece: string,
  { each, milliseconds }: { each: { name: string; milliseconds: number }[]; milliseconds: number },
): Figure[] {
  return [
    { name: `  processor time ${piece}`, value: milliseconds, unit: 'ms' },
    ...each
      .filter((one) => one.milliseconds > milliseconds / 50)
      .map((one): Figure => ({ name: `    ${one.name}`, value: one.milliseconds, unit: 'ms' })),
  ]
}

/** Which share of a core a busy program gets at this moment: 1 on a machine that nobody else loads. */
export function shareOfACore(): number {
  const begunMs = systemClock.monotonicMs()
  const before = process.cpuUsage()
  while (systemClock.monotonicMs() - begunMs < spinMs);
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / (systemClock.monotonicMs() - begunMs)
}
