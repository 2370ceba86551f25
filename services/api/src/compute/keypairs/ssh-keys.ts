import { createHash, createPublicKey, generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { CloudError } from '@nubo/kernel'

/** A keypair as it is kept; the private key is shown once and not kept. */
export interface KeyMaterial {
  publicKey: string
  fingerprint: string
  privateKey?: string
}

const invalidKey = (cause?: unknown) =>
  new CloudError('Invalid', 'Keypair data is invalid: failed to generate fingerprint', { cause })

/** Checks a public key as OpenSSH writes it: '<type> <base64> <comment>'. Throws Invalid. */
export function importSshKey(publicKey: string): KeyMaterial {
  const [, type, base64] = /^(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?=\s|$)/.exec(publicKey) ?? []
  if (!type || !base64) throw invalidKey()
  const blob = Buffer.from(base64, 'base64')
  try {
    checkBlob(type, blob)
  } catch (error) {
    throw invalidKey(error)
  }
  return { publicKey, fingerprint: colonHex(createHash('md5').update(blob).digest()) }
}

const generate = promisify(generateKeyPair)

/** A new RSA key of 2048 bits, as Nova makes them: the private key in PEM (PKCS #1). Made off the event loop. */
export async function generateSshKey(): Promise<KeyMaterial> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: 2048 })
  const { n, e } = publicKey.export({ format: 'jwk' })
  const blob = Buffer.concat([field('ssh-rsa'), integerField(e!), integerField(n!)])
  const imported = importSshKey(`ssh-rsa ${blob.toString('base64')} Generated-by-Nubo`)
  return { ...imported, privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() }
}

export const colonHex = (bytes: Buffer): string => bytes.toString('hex').match(/../g)!.join(':')

/** RFC 4251, section 5: a string is its length in four bytes, then its bytes. */
function field(bytes: string | Buffer): Buffer {
  const content = Buffer.from(bytes as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}

/** A positive integer of a JWK as an mpint: a leading zero where its first bit is set. */
function integerField(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url')
  return field(bytes[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

/** Reads the fields of a key. Every method throws where there is not enough, or not what it should be. */
class KeyReader {
  private at = 0
  constructor(private readonly blob: Buffer) {}

  bytes(): Buffer {
    const from = this.at + 4
    const length = this.blob.readUInt32BE(this.at)
    check(from + length <= this.blob.length, 'a field reaches beyond the end')
    this.at = from + length
    return this.blob.subarray(from, this.at)
  }

  text(): string {
    return this.bytes().toString('latin1')
  }

  positiveInteger(): Buffer {
    const bytes = this.bytes()
    check(bytes.length > 0 && bytes[0]! < 0x80, 'an integer is not positive')
    return bytes[0] === 0 ? bytes.subarray(1) : bytes
  }

  end(): void {
    check(this.at === this.blob.length, 'there is more after the key')
  }
}

function check(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem)
}

/** The types that OpenSSH takes, by how the rest of the blob is read (RFC 4253, 5656, 8709; OpenSSH's PROTOCOL.u2f). */
const readers: Record<string, (key: KeyReader) => void> = {
  'ssh-rsa': readRsa,
  'ssh-dss': readDsa,
  'ssh-ed25519': readEd25519,
  'ecdsa-sha2-nistp256': (key) => readEcdsa(key, 'nistp256'),
  'ecdsa-sha2-nistp384': (key) => readEcdsa(key, 'nistp384'),
  'ecdsa-sha2-nistp521': (key) => readEcdsa(key, 'nistp521'),
  'sk-ssh-ed25519@openssh.com': (key) => {
    readEd25519(key)
    key.bytes()
  },
  'sk-ecdsa-sha2-nistp256@openssh.com': (key) => {
    readEcdsa(key, 'nistp256')
    key.bytes()
  },
}

function checkBlob(type: string, blob: Buffer): void {
  const key = new KeyReader(blob)
  check(key.text() === type, 'the key is of another type than it says')
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined
  if (!read) throw new Error('the type is unknown')
  read(key)
  key.end()
}

const largestModulusBytes = 16_384 / 8

function readRsa(key: KeyReader): void {
  const exponent = key.positiveInteger()
  const modulus = key.positiveInteger()
  check(modulus.length <= largestModulusBytes && exponent.length <= modulus.length, 'the numbers are too large')
  check(isOddFrom3(exponent) && isOddFrom3(modulus), 'the numbers are no RSA key')
  importKey({ kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') })
}

const isOddFrom3 = (bytes: Buffer) => (bytes.at(-1)! & 1) === 1 && (bytes.length > 1 || bytes[0]! >= 3)

/** OpenSSH knows DSA with 1024 bits alone. */
function readDsa(key: KeyReader): void {
  const prime = key.positiveInteger()
  check(prime.length === 128, 'the prime has not 1024 bits')
  check(key.positiveInteger().length === 20, 'the subgroup has not 160 bits')
  key.positiveInteger()
  key.positiveInteger()
}

function readEd25519(key: KeyReader): void {
  check(key.bytes().length === 32, 'the key has not 32 bytes')
}

const curves = { nistp256: ['P-256', 32], nistp384: ['P-384', 48], nistp521: ['P-521', 66] } as const

function readEcdsa(key: KeyReader, name: keyof typeof curves): void {
  const [crv, size] = curves[name]
  check(key.text() === name, 'the key is on another curve than it says')
  const point = key.bytes()
  check(point.length === 1 + 2 * size && point[0] === 4, 'the point is not written out')
  const x = point.subarray(1, 1 + size).toString('base64url')
  const y = point.subarray(1 + size).toString('base64url')
  importKey({ kty: 'EC', crv, x, y })
}

/** OpenSSL's own check: a point lies on its curve. */
function importKey(key: JsonWebKey): void {
  createPublicKey({ key, format: 'jwk' })
}
