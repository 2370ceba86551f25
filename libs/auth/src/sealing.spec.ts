import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { ensureHostKey, keyFingerprint } from './host-key.js'
import { openText, publicHostKey, sealText } from './sealing.js'
import { generateTokenKeys } from './tokens.js'

let directory: string
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'nubo-key-')), 'host/identity')
})
afterEach(() => rmSync(join(directory, '../..'), { recursive: true }))

const [one, other] = [newId<HostId>(systemRandom), newId<HostId>(systemRandom)]

describe("a host's key", () => {
  it('is made once, for its owner alone, with its public part beside it', () => {
    const made = ensureHostKey(directory)
    expect(ensureHostKey(directory).publicKeyPem).toBe(made.publicKeyPem)
    expect(statSync(join(directory, 'host-key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    // Whoever runs guests passes through the host's own folder.
    expect(statSync(join(directory, '..')).mode & 0o001).toBe(1)
    expect(readFileSync(join(directory, 'host-key.pub'), 'utf8')).toBe(made.publicKeyPem)
  })

  it('is told from another by its fingerprint', () => {
    const fingerprint = keyFingerprint(ensureHostKey(directory).publicKeyPem)
    expect(fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(keyFingerprint(generateTokenKeys().publicKeyPem)).not.toBe(fingerprint)
  })

  it.each([
    ['a private key', generateTokenKeys().privateKeyPem],
    ['no key', 'nonsense'],
    ['nothing', ''],
  ])('is not enrolled from %s', (_, pem) => {
    expect(() => publicHostKey(pem)).toThrow(expect.objectContaining({ kind: 'Invalid' }))
  })
})

describe('a sealed text', () => {
  it('opens for its kind, host and key alone', () => {
    const { privateKey, publicKeyPem } = ensureHostKey(directory)
    const key = publicHostKey(publicKeyPem)
    const body = '{"text":"ü.\\n"}'
    const text = sealText(privateKey, 'report', one, body)
    expect(openText(key, 'report', one, text)).toBe(body)
    expect(openText(key, 'command', one, text)).toBeUndefined()
    expect(openText(key, 'report', other, text)).toBeUndefined()
    expect(openText(publicHostKey(generateTokenKeys().publicKeyPem), 'report', one, text)).toBeUndefined()
  })

  it('opens no more once a character of it is another', () => {
    const { privateKey, publicKeyPem } = ensureHostKey(directory)
    const text = sealText(privateKey, 'report', one, '{"number":1}')
    const key = publicHostKey(publicKeyPem)
    for (let at = 0; at < text.length; at++) {
      // The last character of the signature has bits to spare.
      if (at === 85) continue
      const spoilt = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      expect(openText(key, 'report', one, spoilt)).toBeUndefined()
    }
    for (const nothing of ['', '.', 'x', text.slice(0, 86)]) expect(openText(key, 'report', one, nothing)).toBeUndefined()
  })
})
