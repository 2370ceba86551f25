import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mountPoints } from './process/mounts.js'
import { runOrThrow } from './process/run.js'

/**
 * Short paths under /run for the folders of one installation. A unix socket's path ends at 107 bytes, and programs that are
 * not root cannot pass through a folder such as /root: bound here, the clone and its data lie at short, open paths wherever
 * the clone is.
 */
export class RuntimePaths {
  constructor(
    readonly installationId: string,
    private readonly sources: { clone: string; data: string },
  ) {}

  get root(): string {
    return join('/run/nubo', this.installationId)
  }

  /** The clone, read-only. */
  get code(): string {
    return join(this.root, 'code')
  }

  /** The data folder, `.nubo`. */
  get data(): string {
    return join(this.root, 'data')
  }

  /** PostgreSQL's unix socket. */
  get postgres(): string {
    return join(this.root, 'postgres')
  }

  /** Binds what is not bound yet; after a reboot that is everything. */
  async mount(): Promise<void> {
    const mounted = mountPoints()
    for (const [source, target, mode] of [
      [this.sources.data, this.data, 'rw'],
      [this.sources.clone, this.code, 'ro'],
    ] as const) {
      if (mounted.has(target)) continue
      mkdirSync(target, { recursive: true, mode: 0o755 })
      await runOrThrow('mount', ['--bind', source, target])
      // Nothing that is mounted below later, in a host or by a person, spreads from here.
      await runOrThrow('mount', ['--make-private', target])
      if (mode === 'ro') await runOrThrow('mount', ['-o', 'remount,bind,ro', target])
    }
  }

  /** Takes the binds away; lazily, because a shell of someone's may stand in one. */
  async unmount(): Promise<void> {
    for (const target of [this.code, this.data]) {
      while (mountPoints().has(target)) await runOrThrow('umount', ['--lazy', target])
      if (existsSync(target)) rmdirSync(target)
    }
    for (const folder of [this.postgres, this.root, dirname(this.root)]) removeEmpty(folder)
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
}
