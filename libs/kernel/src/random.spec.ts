import { expect, it } from '@jest/globals'
import { systemRandom } from './random.js'

it('draws as many bytes as are asked for, never the same twice', () => {
  const drawn = Array.from({ length: 2_000 }, () => systemRandom.bytes(16))
  expect(drawn.every((bytes) => bytes.length === 16)).toBe(true)
  expect(new Set(drawn.map((bytes) => bytes.toString('hex'))).size).toBe(drawn.length)
  expect(systemRandom.bytes(0)).toHaveLength(0)
  expect(systemRandom.bytes(10_000)).toHaveLength(10_000)
})

it('gives bytes that are the caller’s own', () => {
  const first = systemRandom.bytes(16)
  const kept = Buffer.from(first)
  const second = systemRandom.bytes(16)
  second.fill(0)
  expect(first).toEqual(kept)
  expect(systemRandom.bytes(16)).not.toEqual(Buffer.alloc(16))
})

it('draws fractions from 0 up to 1, all over', () => {
  const drawn = Array.from({ length: 5_000 }, () => systemRandom.fraction())
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...drawn)).toBeLessThan(1)
  const tenths = new Set(drawn.map((fraction) => Math.floor(fraction * 10)))
  expect(tenths.size).toBe(10)
})
