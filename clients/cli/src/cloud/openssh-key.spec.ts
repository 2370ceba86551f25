import { expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeSshKey } from './openssh-key.js'

const hasSshKeygen = existsSync('/usr/bin/ssh-keygen')

it('frames the key as OpenSSH does, padded to eight bytes', () => {
  for (const comment of ['', 'me', 'a-longer-comment']) {
    const { publicKey, privateKey } = makeSshKey(comment)
    const bytes = Buffer.from(privateKey.split('\n').slice(1, -2).join(''), 'base64')
    expect(bytes.subarray(0, 15).toString('latin1')).toBe('openssh-key-v1\0')
    expect(bytes.includes(Buffer.from(publicKey.split(' ')[1]!, 'base64'))).toBe(true)
    // Three strings of the header (4+4, 4+4, 4+0), the count (4), the public blob (4+51), then the length of the secret part.
    expect(bytes.readUInt32BE(15 + 8 + 8 + 4 + 4 + 55) % 8).toBe(0)
  }
})

const withSshKeygen = hasSshKeygen ? it : it.skip
withSshKeygen('is taken by ssh-keygen, which finds the same public key in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nubo-cli-'))
  try {
    const { publicKey, privateKey } = makeSshKey('me')
    const path = join(folder, 'key')
    writeFileSync(path, privateKey, { mode: 0o600 })
    expect(execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim()).toBe(publicKey)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
