import type { Files } from '@nubo/compute-agent/dist/files.js'
import type { Chance } from '../core/chance.js'
import type { Process } from '../core/process.js'

/** What lies on a host's disk: it outlives the agent and the host's power. */
export class Disk {
  private readonly files = new Map<string, string>()

  constructor(private readonly chance: Chance) {}

  /** As one process sees it. What it was about to write when it was killed is written, or not. */
  filesOf(process: Process): Files {
    const access = () => process.delay(this.chance.between(0.05, 2))
    return {
      read: async (path) => {
        await access()
        return this.files.get(path)
      },
      write: async (path, text) => {
        await access()
        this.files.set(path, text)
        await access()
      },
      remove: async (path) => {
        await access()
        for (const each of [path, ...this.below(path)]) this.files.delete(each)
        await access()
      },
      rename: async (path, to) => {
        await access()
        for (const each of [path, ...this.below(path)]) {
          const text = this.files.get(each)
          if (text !== undefined) this.files.set(`${to}${each.slice(path.length)}`, text)
          this.files.delete(each)
        }
        await access()
      },
      list: async (directory) => {
        await access()
        return [...new Set(this.below(directory).map((path) => path.slice(directory.length + 1).split('/')[0]!))]
      },
      makeDirectory: access,
      bytesIn: async (directory) => {
        await access()
        return this.below(directory).reduce((sum, path) => sum + this.files.get(path)!.length, 0)
      },
    }
  }

  below(directory: string): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(`${directory}/`))
  }
}
