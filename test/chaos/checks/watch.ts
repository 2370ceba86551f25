import { systemClock } from '@nubo/kernel'
import type { World } from '../world.js'
import type { Check } from './check.js'

const everyMs = 1_000

/** Promise 2 at every moment, not only at the end: looks again and again for a guest that two processes run. */
export class Watch implements AsyncDisposable {
  private readonly seen = new Set<string>()
  private readonly stopping = new AbortController()
  private readonly running: Promise<void>
  private looks = 0

  constructor(private readonly world: World) {
    this.running = this.run()
  }

  get check(): Check {
    return {
      name: 'no server ever ran twice',
      find: async () => (this.looks === 0 ? ['nobody looked'] : [...this.seen]),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      this.look()
      await systemClock.sleep(everyMs, signal).catch(() => undefined)
    }
  }

  private look(): void {
    const where = new Map<string, string>()
    for (const { name } of this.world.hosts) {
      for (const { serverId, process } of this.world.guestProcesses(name)) {
        const place = `${name} (process ${process.pid})`
        const other = where.get(serverId)
        if (other) this.seen.add(`${systemClock.now().toISOString()} ${serverId} ran on ${other} and on ${place}`)
        where.set(serverId, place)
      }
    }
    this.looks++
  }
}
