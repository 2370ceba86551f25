import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Figure } from './figures.js'

/** The share by which a figure may be worse than it was before it is named. */
const tolerance = 0.1

/** What was measured by the figures of a part, each by its name and how often that came before it. */
type PartFigures = ReadonlyMap<string, number>
/** By part, as an earlier run wrote it. */
export type EarlierFigures = ReadonlyMap<string, PartFigures>

const written = z.object({
  parts: z.array(z.object({ name: z.string(), figures: z.array(z.object({ name: z.string(), value: z.number() })).default([]) })),
})

/** Errors: what cannot be read as the JSON of a run. */
export async function readEarlier(file: string): Promise<EarlierFigures> {
  const { parts } = written.parse(JSON.parse(await readFile(file, 'utf8')))
  return new Map(
    parts.map(({ name, figures }) => {
      const keys = keysOf(figures)
      return [name, new Map(figures.map(({ value }, index) => [keys[index]!, value]))]
    }),
  )
}

/** What an earlier run measured for each of these figures of a part; undefined for those that it did not have. */
export function valuesBefore(figures: readonly Figure[], earlier: PartFigures | undefined): (number | undefined)[] {
  return keysOf(figures).map((key) => earlier?.get(key))
}

/** Figures below others have names that come again: the time of this, the time of that. */
function keysOf(figures: readonly { name: string }[]): string[] {
  return figures.map(({ name }, index) => `${name} ${figures.slice(0, index).filter((other) => other.name === name).length}`)
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
