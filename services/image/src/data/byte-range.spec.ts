import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { byteRangeOf } from './byte-range.js'

it.each([
  ['bytes=0-0', { start: 0, end: 1 }],
  ['bytes=2-5', { start: 2, end: 6 }],
  ['bytes=3-', { start: 3, end: 10 }],
  ['bytes=3-99', { start: 3, end: 10 }],
  ['bytes=-4', { start: 6, end: 10 }],
  ['bytes=-99', { start: 0, end: 10 }],
  ['Bytes = 1 - 2', { start: 1, end: 3 }],
])('takes %s', (header, range) => {
  expect(byteRangeOf(header, 10)).toEqual(range)
})

it.each(['bytes=10-', 'bytes=5-4', 'bytes=-', 'bytes=-0', 'bytes=x', 'lines=1-2', '', 'bytes=1.5-2', 'bytes=0-0x1'])(
  'refuses %s',
  (header) => {
    expect(() => byteRangeOf(header, 10)).toThrow(
      expect.objectContaining({ status: 416, headers: { 'Content-Range': 'bytes */10' } }),
    )
  },
)

it('refuses several ranges, and any range of nothing', () => {
  expect(() => byteRangeOf('bytes=0-1,3-4', 10)).toThrow(expect.objectContaining({ status: 400 }))
  expect(() => byteRangeOf('bytes=0-', 0)).toThrow(expect.objectContaining({ status: 416 }))
  expect(byteRangeOf(undefined, 0)).toBeUndefined()
})

it('gives a part of the file, never more and never nothing', () => {
  const header = fc.oneof(
    fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => `bytes=${from}-${to}`),
    fc.nat().map((from) => `bytes=${from}-`),
    fc.nat().map((last) => `bytes=-${last}`),
    fc.string(),
  )
  fc.assert(
    fc.property(header, fc.nat({ max: 1000 }), (text, sizeBytes) => {
      try {
        const range = byteRangeOf(text, sizeBytes)!
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.end).toBeGreaterThan(range.start)
        expect(range.end).toBeLessThanOrEqual(sizeBytes)
      } catch (error) {
        expect([400, 416]).toContain((error as { status?: number }).status)
      }
    }),
  )
})
