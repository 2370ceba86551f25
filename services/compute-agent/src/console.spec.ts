import { expect, it } from '@jest/globals'
import { lastLines } from './console.js'

it.each([
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc', 2, 'b\nc'],
  ['a\n', 5, 'a\n'],
  ['', 3, ''],
  ['a\nb', 0, ''],
])('of %j the last %d lines are %j', (text, count, expected) => {
  expect(lastLines(text, count)).toBe(expected)
})
