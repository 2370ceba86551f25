import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { microversionTable } from '@nubo/wire'
import { novaHistory } from './nova-history.js'
import { computeMicroversions, computeRange } from './registry.js'

it('is told in the docs as the code has it', () => {
  const page = readFileSync(new URL('../../../../../docs/microversions.md', import.meta.url), 'utf8')
  expect(page).toBe(microversionTable(computeMicroversions, novaHistory))
})

it('names every version once', () => {
  const { major, minimum, maximum } = computeRange
  const all = Array.from({ length: maximum - minimum + 1 }, (_, index) => `${major}.${minimum + index}`)
  expect(novaHistory.map(({ version }) => version)).toEqual(all)
})
