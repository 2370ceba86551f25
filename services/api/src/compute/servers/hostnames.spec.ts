import { expect, it } from '@jest/globals'
import { hostnameFrom, numberedHostname } from './hostnames.js'

it('makes of a name what a guest can be called', () => {
  expect(hostnameFrom('My Web_Server.1!', 'none')).toBe('my-web-server-1')
  expect(hostnameFrom('日本', 'server-7')).toBe('server-7')
})

it('tells servers of one request apart however long their name is', () => {
  const long = 'a'.repeat(70)
  const names = ['-1', '-2', '-1000'].map((suffix) => hostnameFrom(long, 'none', suffix))
  expect(names).toEqual([`${'a'.repeat(61)}-1`, `${'a'.repeat(61)}-2`, `${'a'.repeat(58)}-1000`])
  expect(hostnameFrom('web', 'none', '-2')).toBe('web-2')
})

it('numbers the label of a host, and makes neither it nor the whole longer than names may be', () => {
  expect(numberedHostname('web', '-2')).toBe('web-2')
  expect(numberedHostname('web', '')).toBe('web')
  expect(numberedHostname('web.example.org', '-2')).toBe('web-2.example.org')
  expect(numberedHostname('a'.repeat(63), '-2')).toBe(`${'a'.repeat(61)}-2`)
  const domain = `.${'b'.repeat(60)}`.repeat(4)
  expect(numberedHostname(`${'a'.repeat(11)}${domain}`, '-2')).toBe(`${'a'.repeat(9)}-2${domain}`)
})
