import { readFile, statfs } from 'node:fs/promises'
import { uptime } from 'node:os'

/** The machine below the hypervisor. */
export interface Machine {
  /** Another after every boot. */
  bootId(): Promise<string>
  uptimeSeconds(): number
  /** Of the file system on which `path` lies. */
  freeBytes(path: string): Promise<number>
}

export const linuxMachine: Machine = {
  bootId: async () => (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
  uptimeSeconds: () => Math.floor(uptime()),
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}
