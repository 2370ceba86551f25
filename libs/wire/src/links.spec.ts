import { expect, it } from '@jest/globals'
import { baseUrl, pageUrl } from './links.js'
import { microsecondsTimestamp, secondsTimestamp, zonelessTimestamp } from './timestamps.js'

it.each<[Record<string, string>, string]>([
  [{ host: 'cloud:8774' }, 'http://cloud:8774'],
  [{ host: '[::1]:8774' }, 'http://[::1]:8774'],
  [{ host: 'inner', 'x-forwarded-host': 'cloud.example, proxy', 'x-forwarded-proto': 'https' }, 'https://cloud.example'],
  [{ host: 'cloud', 'x-forwarded-proto': 'gopher' }, 'http://cloud'],
  [{ host: 'cloud', 'x-forwarded-port': '8443' }, 'http://cloud:8443'],
  [{ host: 'cloud', 'x-forwarded-prefix': '/compute/' }, 'http://cloud/compute'],
  [{ host: 'cloud', 'x-forwarded-prefix': '//evil.example' }, 'http://cloud'],
  [{ host: 'evil/path?x' }, 'http://fallback'],
  [{ host: 'a"b' }, 'http://fallback'],
  [{}, 'http://fallback'],
])('of %j the address is %s', (headers, expected) => {
  expect(baseUrl({ headers, protocol: 'http' }, 'http://fallback')).toBe(expected)
})

it('keeps the query on the way to the next page', () => {
  expect(pageUrl('http://c/servers', { limit: '2', marker: 'a', tag: ['x', 'y z'], none: undefined }, { marker: 'b' })).toBe(
    'http://c/servers?limit=2&marker=b&tag=x&tag=y+z',
  )
  expect(pageUrl('http://c/servers', { marker: 'a' }, { marker: undefined })).toBe('http://c/servers')
})

it('writes times as each service does', () => {
  const time = new Date('2026-11-23T08:00:00.123Z')
  expect(secondsTimestamp(time)).toBe('2026-11-23T08:00:00Z')
  expect(microsecondsTimestamp(time)).toBe('2026-11-23T08:00:00.123000Z')
  expect(zonelessTimestamp(time)).toBe('2026-11-23T08:00:00.123000')
})
