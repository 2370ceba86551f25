import { statfs } from 'node:fs/promises'

/** How many bytes can be written where `path` lies. */
export type FreeBytes = (path: string) => Promise<number>

export const freeBytes: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

/** The room of a disk but for a reserve, which is left to others that write there. */
export class DiskRoom {
  constructor(
    private readonly path: string,
    private readonly reservedBytes: number,
    private readonly free: FreeBytes,
  ) {}

  /** Throws ENOSPC, as the disk itself does when it is full, where so many bytes more would leave less than the reserve. */
  async require(bytes: number): Promise<void> {
    const free = await this.free(this.path)
    if (free - bytes >= this.reservedBytes) return
    const message = `ENOSPC: ${free} bytes are free, of which ${this.reservedBytes} are kept for others`
    throw Object.assign(new Error(message), { code: 'ENOSPC' })
  }
}
