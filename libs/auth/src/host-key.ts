import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface HostKey {
  privateKey: KeyObject
  publicKeyPem: string
}

/**
 * The key by which a host is known: made where it is missing, in files that nobody but their owner reads, with the public
 * part beside it for the operator who enrols it. It never leaves its host.
 */
export function ensureHostKey(directory: string): HostKey {
  // The host's folder itself is to be passed through by others.
  mkdirSync(dirname(directory), { recursive: true, mode: 0o755 })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'host-key.pem')
  const privateKey = readKey(file) ?? makeKey(file)
  const publicKeyPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  writeFileSync(join(directory, 'host-key.pub'), publicKeyPem, { mode: 0o644 })
  return { privateKey, publicKeyPem }
}

/** Tells keys apart at a glance, as `ssh-keygen -l` does: SHA-256 of the key itself (SPKI, DER). */
export function keyFingerprint(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64').replace(/=+$/, '')}`
}

function readKey(file: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(readFileSync(file, 'utf8'))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} holds no Ed25519 key`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Never over one that is there: another process may have been faster, and then its key is the host's. */
function makeKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
    return privateKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return createPrivateKey(readFileSync(file, 'utf8'))
  }
}
