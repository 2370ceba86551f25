import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { isWorse, readEarlier, timesAsGood, valuesBefore } from './comparison.js'

describe('a figure beside what it was', () => {
  it('is better where it takes less time, or does more in a second', () => {
    expect(timesAsGood({ name: 'create', value: 20, unit: 'ms' }, 40)).toBe(2)
    expect(timesAsGood({ name: 'rate', value: 20, unit: '/s' }, 40)).toBe(0.5)
  })

  it('is better towards its aim, whatever its unit', () => {
    expect(timesAsGood({ name: 'share of the bare links', value: 0.8, unit: 'x', aim: { atLeast: 0.5 } }, 0.4)).toBe(2)
    expect(timesAsGood({ name: 'beside the floor', value: 1.2, unit: 'x', aim: { atMost: 1.15 } }, 2.4)).toBe(2)
  })

  it('is worse from more than a tenth on', () => {
    expect(isWorse({ name: 'create', value: 109, unit: 'ms' }, 100)).toBe(false)
    expect(isWorse({ name: 'create', value: 112, unit: 'ms' }, 100)).toBe(true)
    expect(isWorse({ name: 'rate', value: 89, unit: '/s' }, 100)).toBe(true)
    expect(isWorse({ name: 'nothing', value: 0, unit: 'ms' }, 100)).toBe(false)
  })
})

describe('what an earlier run wrote', () => {
  const directory = mkdtempSync(join(tmpdir(), 'nubo-bench-'))
  const file = (text: string) => {
    writeFileSync(join(directory, 'bench.json'), text)
    return join(directory, 'bench.json')
  }

  it('is found by part and figure, by the nth where several have one name; a part that failed has none', async () => {
    const figure = (name: string, value: number) => ({ name, value, unit: 'ms' as const })
    const figures = [figure('a port', 1), figure('time', 2), figure('a rule', 3), figure('time', 4)]
    const parts = [
      { name: 'networks', figures },
      { name: 'up', error: 'no' },
    ]
    const earlier = await readEarlier(file(JSON.stringify({ parts })))
    expect(valuesBefore([...figures, figure('time', 5)], earlier.get('networks'))).toEqual([1, 2, 3, 4, undefined])
    for (const part of ['up', 'idle'])
      expect(valuesBefore(figures.slice(1), earlier.get(part))).toEqual([undefined, undefined, undefined])
    rmSync(directory, { recursive: true })
  })
})
