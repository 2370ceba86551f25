import { execFileSync } from 'node:child_process'
import { expect, it } from '@jest/globals'
import { listingScript, parseListing } from './listing.js'

const whole = (...more: string[]) => ['@entered', '@links', '[1]', '@tables', '{}', '@settings', ...more, '@forwarding', '@end']
const said = (...lines: string[]) => `${lines.join('\n')}\n`

it('gives each namespace its answers', () => {
  const text = said('@namespace ', ...whole('net/a:1', 'net/b:2 3'), '@namespace nudh7', ...whole())
  const found = parseListing(text)
  expect([...found.keys()]).toEqual(['', 'nudh7'])
  expect(found.get('')).toEqual({ links: ['[1]'], tables: ['{}'], settings: ['net/a:1', 'net/b:2 3'], forwarding: [] })
  expect(found.get('nudh7')).toMatchObject({ settings: [] })
})

it('knows a namespace that is only a name from one that did not answer to the end', () => {
  const text = said('@namespace ', ...whole(), '@namespace nudh7', '@namespace nudh8', ...whole())
  expect(parseListing(text).get('nudh7')).toBeUndefined()
  expect(() => parseListing(said('@namespace ', ...whole(), '@namespace nudh7', '@entered', '@links'))).toThrow(/nudh7/)
  // The host can be entered by whoever is on it.
  expect(() => parseListing(said('@namespace '))).toThrow(/the host/)
})

it('is a script for the shell, which no setting gets out of', () => {
  const script = listingScript(['', 'nudh7'], () => ['net/ipv4/ip_forward'])
  expect(() => execFileSync('sh', ['-n'], { input: script })).not.toThrow()
  expect(() => listingScript([''], () => ['net/ipv4; reboot'])).toThrow(/path/)
})
