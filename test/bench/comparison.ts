import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Figure } from './figures.js'

/** The share by which a figure may be worse than it was before it is named. */
const tolerance = 0.1

/** What was measured, by figure. */
export type PartFigures = ReadonlyMap<string, number>
/** By part, as an earlier run wrote it. */
export type EarlierFigures = ReadonlyMap<string, PartFigures>

const written = z.object({
  parts: z.array(z.object({ name: z.string(), figures: z.array(z.object({ name: z.string(), value: z.number() })).default([]) })),
})

/** Errors: what cannot be read as the JSON of a run. */
export async function readEarlier(file: string): Promise<EarlierFigures> {
  const { parts } = written.parse(JSON.parse(await readFile(file, 'utf8')))
  return new Map(parts.map(({ name, figures }) => [name, new Map(figures.map((figure) => [figure.name, figure.value]))]))
}

/** How many times as good as before: 1 is the same, less is worse. Undefined where either was nothing. */
export function timesAsGood(figure: Figure, before: number): number | undefined {
  if (figure.value === 0 || before === 0) return undefined
  return isBetterMore(figure) ? figure.value / before : before / figure.value
}

export function isWorse(figure: Figure, before: number): boolean {
  const times = timesAsGood(figure, before)
  return times !== undefined && times < 1 / (1 + tolerance)
}

function isBetterMore({ aim, unit }: Figure): boolean {
  if (aim) return 'atLeast' in aim
  return unit === '/s' || unit === 'MiB/s'
}
