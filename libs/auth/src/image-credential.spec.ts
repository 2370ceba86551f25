import { describe, expect, it } from '@jest/globals'
import { systemClock, type HostId, type ImageId } from '@nubo/kernel'
import { CompactSign } from 'jose'
import { createPrivateKey } from 'node:crypto'
import { ImageCredentialSigner, ImageCredentialVerifier, type ImageGrant } from './image-credential.js'
import { generateTokenKeys, publicTokenKey } from './tokens.js'

const keys = generateTokenKeys()
const at = Date.parse('2026-11-23T08:00:00Z')
let nowMs = at
const verifier = new ImageCredentialVerifier(publicTokenKey(keys.publicKeyPem), { ...systemClock, now: () => new Date(nowMs) })
const signer = new ImageCredentialSigner(keys.privateKeyPem)
const grant: ImageGrant = {
  imageId: '6b29fc40-ca47-4067-b31d-00dd010662da' as ImageId,
  hostId: '0e3b1c1e-9d5c-4b0e-8a53-3f4c5a7d2b11' as HostId,
  expiresAtMs: at + 60_000,
}

const signed = (claims: unknown, typ = 'nubo-image-credential') =>
  new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'EdDSA', typ })
    .sign(createPrivateKey(keys.privateKeyPem))

const sound = { aud: 'image-bytes', image_id: grant.imageId, host: grant.hostId, exp: (at + 60_000) / 1000 }

describe('an image credential', () => {
  it('grants what was signed', async () => {
    nowMs = at
    await expect(verifier.verify(await signer.sign(grant))).resolves.toEqual(grant)
    await expect(verifier.verify(await signed(sound))).resolves.toEqual(grant)
  })

  it('ends with its time', async () => {
    const credential = await signer.sign(grant)
    nowMs = at + 59_999
    await expect(verifier.verify(credential)).resolves.toEqual(grant)
    nowMs = at + 60_000
    await expect(verifier.verify(credential)).rejects.toMatchObject({ kind: 'Unauthenticated' })
    nowMs = at
  })

  it.each([
    ['another audience', signed({ ...sound, aud: 'volume-bytes' })],
    ['no image', signed({ ...sound, image_id: undefined })],
    ['something else than an image', signed({ ...sound, image_id: '../../etc/passwd' })],
    ['no host', signed({ ...sound, host: 7 })],
    ['no end', signed({ ...sound, exp: undefined })],
    ['an end that is no time', signed({ ...sound, exp: 'never' })],
    ['the type of a token', signed(sound, 'nubo-token')],
    ['no claims at all', signed(null)],
    ['another key', new ImageCredentialSigner(generateTokenKeys().privateKeyPem).sign(grant)],
    ['no form', Promise.resolve('x.y.z')],
    ['no end of characters', Promise.resolve('a'.repeat(10_000))],
    ['nothing', Promise.resolve('')],
  ])('with %s grants nothing', async (_, credential) => {
    await expect(verifier.verify(await credential)).rejects.toMatchObject({ kind: 'Unauthenticated' })
  })

  it('spoilt in any character grants nothing', async () => {
    const credential = await signer.sign(grant)
    for (let at = 0; at < credential.length; at += 7) {
      const spoilt = credential.slice(0, at) + (credential[at] === 'A' ? 'B' : 'A') + credential.slice(at + 1)
      await expect(verifier.verify(spoilt)).rejects.toMatchObject({ kind: 'Unauthenticated' })
    }
  })
})
