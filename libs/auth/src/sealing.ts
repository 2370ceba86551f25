import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { CloudError, type HostId } from '@nubo/kernel'

/** What was signed for one way does not pass on the other. */
export type SealedKind = 'report' | 'command'

const separator = '.'

/** `<signature>.<body>`, signed with Ed25519 for messages of this kind from or to this host alone. */
export function sealText(privateKey: KeyObject, kind: SealedKind, hostId: HostId, body: string): string {
  return `${sign(null, signed(kind, hostId, body), privateKey).toString('base64url')}${separator}${body}`
}

/** The body, or undefined where the signature is not this key's over this body, kind and host. */
export function openText(publicKey: KeyObject, kind: SealedKind, hostId: HostId, text: string): string | undefined {
  const at = text.indexOf(separator)
  if (at < 0) return undefined
  const body = text.slice(at + 1)
  const signature = Buffer.from(text.slice(0, at), 'base64url')
  return verify(null, signed(kind, hostId, body), publicKey, signature) ? body : undefined
}

function signed(kind: SealedKind, hostId: HostId, body: string): Buffer {
  return Buffer.from(`nubo ${kind} ${hostId}\n${body}`)
}

/** The public key in `pem`, which must not hold the private one. Throws `Invalid` where it is no Ed25519 public key. */
export function publicHostKey(pem: string): KeyObject {
  try {
    if (pem.includes('PRIVATE KEY')) throw new Error('a private key')
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch (cause) {
    throw notAKey(cause)
  }
  throw notAKey()
}

function notAKey(cause?: unknown): CloudError {
  const message = "A host's public key is an Ed25519 public key as PEM: what lies on the host as host-key.pub."
  return new CloudError('Invalid', message, { cause })
}
