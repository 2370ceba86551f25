import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../support/repository.js'
import type { Figure } from './figures.js'

/** How long `npm run up` took when it last ran, step by step. It is from nothing only after `npm run down -- --wipe`. */
export async function benchUp(): Promise<{ figures: Figure[]; note: string }> {
  const file = join(repository, '.nubo/up.json')
  const written = await stat(file).catch(() => undefined)
  if (!written) return { figures: [], note: '`npm run up` has not run in this clone: there is nothing to show.' }
  const { steps } = JSON.parse(await readFile(file, 'utf8')) as { steps: { name: string; ms: number }[] }
  const total = steps.reduce((sum, { ms }) => sum + ms, 0) / 1000
  return {
    figures: [
      { name: "to the guest's login", value: total, unit: 's', openStack: 312 },
      ...steps.map(({ name, ms }): Figure => ({ name: `  ${name}`, value: ms / 1000, unit: 's' })),
    ],
    note: `As it last ran, at ${written.mtime.toISOString()}: from nothing only after \`npm run down -- --wipe\`.`,
  }
}
