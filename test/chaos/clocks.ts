import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentCommand } from '@nubo/deploy/installation'
import type { World } from './world.js'

const fileName = 'clock-offset'

/**
 * The hosts' wall clocks, as their agents see them. A time namespace shifts the monotonic clocks alone, so the agents run
 * with libfaketime (Debian's), which takes an offset from a file and follows it while they run. Monotonic time stays real,
 * as it does where somebody sets a machine's clock.
 */
export class Clocks {
  constructor(private readonly world: World) {}

  get areFaked(): boolean {
    return library() !== undefined
  }

  /** Starts every agent again under a clock that can be set. */
  async install(): Promise<void> {
    const preload = library()
    if (preload === undefined) return
    const { cloud, hosts } = this.world
    for (const host of hosts) {
      this.set(host.name, 0)
      const record = cloud.installation.hosts.find(({ name }) => name === host.name)!
      const environment = {
        LD_PRELOAD: preload,
        FAKETIME_TIMESTAMP_FILE: join(host.settings.runtimeDirectory, fileName),
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        NO_FAKE_STAT: '1',
      }
      host.setAgent([
        'env',
        ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        ...agentCommand(cloud, record).command,
      ])
      await host.restart('agent')
    }
  }

  /** Sets a host's clock off by so much from the machine's, from the next second on. */
  set(hostName: string, offsetSeconds: number): void {
    const file = join(this.world.host(hostName).settings.directory, fileName)
    // Moved into place, so that it is never read half written.
    writeFileSync(`${file}.new`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`)
    renameSync(`${file}.new`, file)
  }
}

/** Debian keeps it below the folder of the machine's architecture. */
function library(): string | undefined {
  return readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path))
}
