import { describe, expect, it } from '@jest/globals'
import { isSearchable } from './search-pattern.js'
import { readServerQuery } from './server-query.js'

describe('a list of servers', () => {
  it.each([
    ['repeats what was found before', String.raw`(.*)(.*)(.*)(.*)(.*)\1\2\3\4\1$`],
    ['repeats it behind an escaped backslash', String.raw`(.*)\\\1`],
    ['looks ahead', '(?=.*(?=.*(?=.*(?=.*x))))'],
    ['looks ahead for what is not there', '(a(?!.*(b(?!x))))'],
    ['looks back', '(?<=a(?<!b))'],
    ['is longer than any name', 'x'.repeat(256)],
  ])('is not searched by a pattern that %s', (_, pattern) => {
    expect(isSearchable(pattern)).toBe(false)
    for (const parameter of ['name', 'hostname', 'description', 'ip', 'ip6']) {
      expect(() => readServerQuery({ [parameter]: pattern }, { admin: false })).toThrow(
        expect.objectContaining({ kind: 'Invalid', message: expect.stringContaining(`query parameters ${parameter}.`) }),
      )
    }
  })

  it.each([
    'web',
    '^web-[0-9]{1,3}$',
    String.raw`10\.0\.0\.1`,
    String.raw`a\\1`,
    '(?:a|b)+',
    '(?i)web',
    String.raw`\d+`,
    'x'.repeat(255),
  ])('is searched by %s', (pattern) => {
    expect(isSearchable(pattern)).toBe(true)
    expect(readServerQuery({ name: pattern }, { admin: false }).filter.name).toBe(pattern)
  })
})
