import { argon2, timingSafeEqual } from 'node:crypto'
import { CloudError, type Random } from '@nubo/kernel'

/** OWASP's parameters for argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. */
const parameters = { memoryKib: 19_456, passes: 2, lanes: 1 }
const saltBytes = 16
const tagBytes = 32

/** Longer passwords are refused when they are set; a login with one fails like any wrong one, unhashed. */
export const maxPasswordCharacters = 128

interface Stored {
  memoryKib: number
  passes: number
  lanes: number
  salt: Buffer
  tag: Buffer
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

function parse(hash: string): Stored {
  const match = phc.exec(hash)
  if (!match) throw new CloudError('Bug', 'A stored password hash is not argon2id in the PHC format')
  return {
    memoryKib: Number(match[1]),
    passes: Number(match[2]),
    lanes: Number(match[3]),
    salt: Buffer.from(match[4]!, 'base64'),
    tag: Buffer.from(match[5]!, 'base64'),
  }
}

const derive = (password: string, { memoryKib, passes, lanes, salt, tag }: Omit<Stored, 'tag'> & { tag: { length: number } }) =>
  new Promise<Buffer>((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: Buffer.from(password.normalize('NFKC')),
        nonce: salt,
        parallelism: lanes,
        tagLength: tag.length,
        memory: memoryKib,
        passes,
      },
      (error, derived) => (error ? reject(error) : resolve(derived)),
    )
  })

export interface PasswordLimits {
  /** Hashes at once. Each takes a thread of Node's pool of four, 19 MiB and a core: two leave room for everything else. */
  concurrent?: number
  /** Hashes that may wait for their turn; beyond it logins are turned away with Unavailable. */
  waiting?: number
}

/** Hashes and checks passwords off the event loop, a few at a time. */
export class PasswordHasher {
  private running = 0
  private readonly queue: (() => void)[] = []
  private readonly concurrent: number
  private readonly waiting: number
  /** Of no password: what a login of an unknown user is checked against, so that it takes as long as any other. */
  private readonly nobody: Stored

  constructor(
    private readonly random: Random,
    limits: PasswordLimits = {},
  ) {
    this.concurrent = limits.concurrent ?? 2
    this.waiting = limits.waiting ?? 100
    this.nobody = { ...parameters, salt: random.bytes(saltBytes), tag: random.bytes(tagBytes) }
  }

  /** `password` in the PHC string format. */
  async hash(password: string): Promise<string> {
    const salt = this.random.bytes(saltBytes)
    const tag = await this.inTurn(() => derive(password, { ...parameters, salt, tag: { length: tagBytes } }))
    const { memoryKib, passes, lanes } = parameters
    return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`
  }

  /** Whether `password` is the one of `hash`. Without a hash (no such user) it takes as long, and is not. */
  async matches(password: string, hash: string | null | undefined): Promise<boolean> {
    const stored = hash ? parse(hash) : this.nobody
    if (password.length > maxPasswordCharacters) return false
    const tag = await this.inTurn(() => derive(password, stored))
    return timingSafeEqual(tag, stored.tag) && stored !== this.nobody
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.concurrent) {
      if (this.queue.length >= this.waiting)
        throw new CloudError('Unavailable', 'Too many logins at once. Try again.', { details: { retryAfterSeconds: 1 } })
      await new Promise<void>((resolve) => this.queue.push(resolve))
    } else this.running++
    try {
      return await work()
    } finally {
      const next = this.queue.shift()
      if (next) next()
      else this.running--
    }
  }
}
