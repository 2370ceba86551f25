import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sealText } from '@nubo/auth'
import { waitFor } from '@nubo/deploy'
import type { HostId } from '@nubo/kernel'
import { hostKeys, lineKey } from '@nubo/queue'
import { Redis } from 'ioredis'
import { redisPassword } from '../support/cloud-configuration.js'
import type { Cloud } from '../support/cloud.js'

/** Whoever took a host over: has all that lies there, and does with it what no agent would. */
export class TakenOverHost implements AsyncDisposable {
  readonly redis: Redis
  readonly key: KeyObject
  private number = 2 ** 50

  constructor(
    private readonly cloud: Cloud,
    readonly name: string,
    readonly id: HostId,
  ) {
    const { host, port } = cloud.redis.address
    const options = { username: name, password: redisPassword, enableReadyCheck: false, disableClientInfo: true }
    this.redis = new Redis({ host, port, ...options })
    this.redis.on('error', () => undefined)
    this.key = createPrivateKey(readFileSync(join(cloud.hostDirectories.get(name)!, 'identity/host-key.pem')))
  }

  get publicKeyPem(): string {
    return createPublicKey(this.key).export({ type: 'spki', format: 'pem' }).toString()
  }

  /** A message as this host would sign it, or as it would sign one in another's name. */
  sealed(message: Record<string, unknown>, as: HostId = this.id, number = ++this.number): string {
    return sealText(this.key, 'report', as, JSON.stringify({ number, message }))
  }

  /** What Redis says to a command: an answer, or its refusal. */
  async attempt(...[command, ...args]: [string, ...string[]]): Promise<unknown> {
    return await this.redis.call(command, ...args).catch((error: Error) => error)
  }

  /** Puts texts into the outbox in the way that is open to it, and waits until a conductor has taken them. */
  async tell(admin: Redis, ...texts: string[]): Promise<void> {
    const { outbox, ticket } = hostKeys(this.id)
    await this.redis.blmove(ticket, ticket, 'LEFT', 'LEFT', 30)
    await this.redis.set(outbox, texts.join('\n'))
    await this.redis.lmove(ticket, lineKey, 'LEFT', 'RIGHT')
    await waitFor('a conductor heard it', async () => (await admin.llen(ticket)) > 0, { timeoutMs: 30_000, everyMs: 20 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.disconnect()
  }
}
