import { generateKeyPairSync, randomBytes } from 'node:crypto'

export interface SshKey {
  /** One line for authorized_keys. */
  publicKey: string
  /** The whole private key file, without a passphrase. */
  privateKey: string
}

/**
 * Makes an ed25519 key in OpenSSH's own format (PROTOCOL.key in OpenSSH's sources), which Node's crypto cannot write and
 * which is the only one that ssh takes for ed25519.
 */
export function makeSshKey(comment: string): SshKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x, d } = privateKey.export({ format: 'jwk' })
  const publicPart = Buffer.from(x!, 'base64url')
  const seed = Buffer.from(d!, 'base64url')
  const publicBlob = Buffer.concat([sshString('ssh-ed25519'), sshString(publicPart)])
  return {
    publicKey: `ssh-ed25519 ${publicBlob.toString('base64')} ${comment}`,
    privateKey: armour(encode(publicPart, seed, publicBlob, comment)),
  }
}

function encode(publicPart: Buffer, seed: Buffer, publicBlob: Buffer, comment: string): Buffer {
  // The same number twice: a wrong passphrase is told by their differing.
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    sshString('ssh-ed25519'),
    sshString(publicPart),
    sshString(Buffer.concat([seed, publicPart])),
    sshString(comment),
  ])
  const keyCount = Buffer.from([0, 0, 0, 1])
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    keyCount,
    sshString(publicBlob),
    sshString(Buffer.concat([secret, padding(secret.length)])),
  ])
}

/** 1, 2, 3 ... up to the next multiple of eight bytes. */
function padding(length: number): Buffer {
  return Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1))
}

function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function armour(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g)!
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n')
}
