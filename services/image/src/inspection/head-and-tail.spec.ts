import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { HeadAndTail } from './head-and-tail.js'

it('keeps the same head and tail however the stream is cut', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }), (parts, headBytes, tailBytes) => {
      const whole = Buffer.concat(parts)
      const seen = new HeadAndTail(headBytes, tailBytes)
      for (const part of parts) seen.take(part)
      expect(seen.head.equals(whole.subarray(0, headBytes))).toBe(true)
      expect(seen.tail.equals(whole.subarray(Math.max(0, whole.length - tailBytes)))).toBe(true)
      expect(seen.totalBytes).toBe(whole.length)
    }),
  )
})

it('does not hold on to the memory of the stream', () => {
  const seen = new HeadAndTail(4, 4)
  const chunk = Buffer.from('abcdefgh')
  seen.take(chunk)
  chunk.fill(0)
  expect(seen.head.toString()).toBe('abcd')
  expect(seen.tail.toString()).toBe('efgh')
})
