import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@nubo/kernel'
import { unprivilegedAccount } from '../process/account.js'
import { freePort } from '../process/ports.js'
import { PrivateProcess } from '../process/private-program.js'
import type { WhyNot } from '../process/wait.js'
import { programRoots } from './program-roots.js'
import type { RedisAddress } from './redis-address.js'
import { redisTrouble } from './redis-ping.js'
import { everything, findRedisProgram, prepareRedis, type RedisUser } from './redis-program.js'
import { TemporaryDirectory } from './temporary-directory.js'

/** Waits until Redis has loaded its data and answers; `whyNot` gives a reason to give up. */
export async function waitForRedis(address: RedisAddress, whyNot: WhyNot, timeoutMs = 60_000) {
  const end = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const trouble = await redisTrouble(address)
    if (trouble === undefined) return
    const reason = await whyNot()
    if (reason !== undefined) throw new Error(`Redis did not start: ${reason}`)
    if (systemClock.monotonicMs() > end) throw new Error(`Redis does not answer: ${trouble}`)
    await systemClock.sleep(20)
  }
}

export interface RedisOptions {
  /** Where to keep it; a new temporary folder, removed by `stop`, when absent. */
  directory?: string
  /** True keeps writes in an append-only file, as in production; a crash of the machine may lose the last of them. */
  persistent?: boolean
  /** Users beside the one of `address`, who may do everything. */
  users?: readonly RedisUser[]
}

/** A Redis of one's own on a free port of 127.0.0.1, gone when its owner is. */
export class PrivateRedis implements AsyncDisposable {
  private constructor(
    readonly address: RedisAddress,
    private readonly options: RedisOptions,
    private readonly directory: TemporaryDirectory,
    private server: PrivateProcess | undefined,
  ) {}

  /** Makes and starts one, ready to be connected to. Fails where the machine has no Redis. */
  static async start(options: RedisOptions = {}): Promise<PrivateRedis> {
    // The port is free when we ask and may be taken when Redis does: then there is another.
    for (let triesLeft = 3; ; triesLeft--) {
      const directory = new TemporaryDirectory('nubo-redis-', options.directory, unprivilegedAccount())
      const password = systemRandom.bytes(18).toString('base64url')
      const address = { host: '127.0.0.1', port: await freePort(), username: 'nubo', password }
      const redis = new PrivateRedis(address, options, directory, undefined)
      try {
        await redis.start()
        return redis
      } catch (error) {
        await redis.stop()
        if (triesLeft === 1 || !String(error).includes('Address already in use')) throw error
      }
    }
  }

  get pid(): number | undefined {
    return this.server?.pid
  }

  get logFile(): string {
    return join(this.directory.path, 'redis.log')
  }

  /** Starts it again on the same port and data after `halt` or `kill`. */
  async start(): Promise<void> {
    const program = findRedisProgram(programRoots)
    if (!program) throw new Error('no Redis on this machine: `npm test` brings one (Debian package redis-tools)')
    const runAs = unprivilegedAccount()
    const { host, port, username, password } = this.address
    const users = [{ name: username, password, rules: everything }, ...(this.options.users ?? [])]
    const persistent = this.options.persistent ?? false
    const settings = { program, directory: this.directory.path, addresses: [host], port, users, persistent }
    const { command, args } = prepareRedis(settings, runAs)
    const server = PrivateProcess.start({
      command,
      args,
      cwd: this.directory.path,
      logFile: this.logFile,
      runAs,
      signalWhenOrphaned: 'SIGTERM',
    })
    this.server = server
    await waitForRedis(this.address, () => (server.hasEnded ? server.lastWords() : undefined))
  }

  /** Ends it in order and keeps its data, where it is persistent. */
  halt(): Promise<void> {
    return this.end('SIGTERM')
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.end('SIGKILL')
  }

  /** Ends it as a crash would that takes its data along: the next start begins with none. */
  async lose(): Promise<void> {
    await this.kill()
    rmSync(join(this.directory.path, 'data'), { recursive: true, force: true })
  }

  /** Ends it; removes its folder, unless the caller had named one. */
  async stop(): Promise<void> {
    await this.halt()
    this.directory.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.server?.signal(signal)
    await this.server?.ended
    this.server = undefined
  }
}

/** See `PrivateRedis.start`. */
export const startRedis = (options?: RedisOptions) => PrivateRedis.start(options)
