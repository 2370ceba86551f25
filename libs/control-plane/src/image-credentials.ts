import { readFileSync } from 'node:fs'
import { ImageCredentialSigner } from '@nubo/auth'
import { assert, type Clock, type HostId, type ImageId } from '@nubo/kernel'
import type { ComposeOptions } from '@nubo/workflow'
import type { ControlPlaneConfiguration } from './configuration.js'

/** Long enough for a large image over a slow network; a repeated command brings a fresh one. */
const lifetimeMs = 60 * 60_000
/** A credential is used again while at least half of its life is left. */
const reuseMs = lifetimeMs / 2
const mostKept = 10_000

/** Signs what hosts fetch images with; one that was signed lately is given again. */
export function imageCredentials({ imageUrl, imageCredentials }: ControlPlaneConfiguration, clock: Clock): ComposeOptions {
  if (!imageUrl || !imageCredentials) return { imageUrl: '', signImageCredential: refuse }
  const signer = new ImageCredentialSigner(readFileSync(imageCredentials.privateKeyFile, 'utf8'))
  const kept = new Map<string, { credential: Promise<string>; expiresAtMs: number }>()
  const signImageCredential = (imageId: ImageId, hostId: HostId) => {
    const nowMs = clock.now().getTime()
    const key = `${imageId} ${hostId}`
    const known = kept.get(key)
    if (known && known.expiresAtMs - nowMs > reuseMs) return known.credential
    if (kept.size >= mostKept) kept.clear()
    const expiresAtMs = nowMs + lifetimeMs
    const credential = signer.sign({ imageId, hostId, expiresAtMs })
    kept.set(key, { credential, expiresAtMs })
    return credential
  }
  return { imageUrl, signImageCredential }
}

async function refuse(): Promise<string> {
  assert(false, 'this service casts no command that needs an image')
}
