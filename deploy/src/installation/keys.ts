import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync, chownSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keyFiles } from '../configuration.js'
import type { Account } from '../process/account.js'

/**
 * Makes the Ed25519 key pairs that are missing: one signs tokens, one the short-lived credentials by which hosts fetch
 * images, one the commands to hosts. PKCS8 and SPKI in PEM; private ones are the service user's alone.
 */
export function ensureKeys(directory: string, owner: Account): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  ensurePair(join(directory, keyFiles.tokenPrivate), join(directory, keyFiles.tokenPublic), owner)
  ensurePair(join(directory, keyFiles.imagePrivate), join(directory, keyFiles.imagePublic), owner)
  ensurePair(join(directory, keyFiles.commandPrivate), join(directory, keyFiles.commandPublic), owner)
}

function ensurePair(privateFile: string, publicFile: string, owner: Account): void {
  if (existsSync(privateFile) && existsSync(publicFile)) return
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  rmSync(publicFile, { force: true })
  writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  chownSync(privateFile, owner.uid, owner.gid)
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 })
}
