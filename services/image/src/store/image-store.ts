import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageFileId } from '@nubo/database'
import { DiskRoom, freeBytes, type FreeBytes } from './disk-room.js'

/** Few enough that a reserve outlasts what many uploads write between two looks, enough that the looks cost nothing. */
const lookEveryBytes = 16 * 1024 * 1024

/** Enough that a disk is read in long strides, little enough that a hundred downloads fit in memory. */
const readChunkBytes = 256 * 1024

/**
 * The bytes of images in one folder: `incoming/` while they are written, `whole/` once they are on disk in full. Files are
 * named after their upload, which the database knows before the file exists; what a name refers to is decided there alone.
 */
export class ImageStore {
  private constructor(
    private readonly directory: string,
    private readonly room: DiskRoom,
  ) {}

  /**
   * Makes the folders where they are missing. They are for this service's user alone.
   * @param reservedBytes of the disk that no image takes
   */
  static async open(directory: string, reservedBytes: number, free: FreeBytes = freeBytes): Promise<ImageStore> {
    for (const name of ['incoming', 'whole']) await mkdir(join(directory, name), { recursive: true, mode: 0o700 })
    return new ImageStore(directory, new DiskRoom(directory, reservedBytes, free))
  }

  /** Begins a file of so many bytes, where that is known. Fails if it exists, and with ENOSPC where there is no room for it. */
  async create(fileId: ImageFileId, expectedBytes = 0): Promise<IncomingFile> {
    await this.room.require(expectedBytes)
    const path = this.incomingPath(fileId)
    return new IncomingFile(await open(path, 'wx', 0o600), path, join(this.directory, 'whole', fileId), this.room)
  }

  /** Opens a whole file. Its bytes can be read to their end even if it is removed meanwhile. */
  async read(fileId: ImageFileId): Promise<WholeFile> {
    return new WholeFile(await open(this.wholePath(fileId), 'r'))
  }

  /** Removes a file in whatever state it is. */
  async remove(fileId: ImageFileId): Promise<void> {
    for (const path of [this.incomingPath(fileId), this.wholePath(fileId)]) await unlink(path).catch(ignoreMissing)
  }

  /** Every file there is, for those who look for what should not be there. */
  async list(): Promise<{ incoming: string[]; whole: string[] }> {
    const [incoming, whole] = await Promise.all(['incoming', 'whole'].map((name) => readdir(join(this.directory, name))))
    return { incoming: incoming!, whole: whole! }
  }

  private incomingPath(fileId: ImageFileId): string {
    return join(this.directory, 'incoming', fileId)
  }

  private wholePath(fileId: ImageFileId): string {
    return join(this.directory, 'whole', fileId)
  }
}

/** A file that is being written. */
export class IncomingFile {
  /** Written since the disk's room was looked at. */
  private unlooked = 0

  constructor(
    private readonly handle: FileHandle,
    readonly path: string,
    private readonly wholePath: string,
    private readonly room: DiskRoom,
  ) {}

  /** Fails with ENOSPC once the disk has no more room than is kept for others. */
  async write(chunk: Uint8Array): Promise<void> {
    this.unlooked += chunk.length
    if (this.unlooked >= lookEveryBytes) {
      await this.room.require(0)
      this.unlooked = 0
    }
    for (let written = 0; written < chunk.length;) {
      written += (await this.handle.write(chunk, written)).bytesWritten
    }
  }

  /** Has every byte on the disk, so that neither this process's end nor a power cut takes one away. */
  async flush(): Promise<void> {
    await this.handle.sync()
    await this.handle.close()
  }

  /** Gives the flushed file its place, for good. */
  async keep(): Promise<void> {
    await rename(this.path, this.wholePath)
    await syncFolderOf(this.wholePath)
  }

  async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined)
    await unlink(this.path).catch(ignoreMissing)
  }
}

/** An open file with all the bytes of an image. Close it, or read a range to its end. */
export class WholeFile {
  constructor(private readonly handle: FileHandle) {}

  async sizeBytes(): Promise<number> {
    return (await this.handle.stat()).size
  }

  /** The bytes from `start` up to, but without, `end`. The file is closed after them. */
  range(start: number, end: number): ReadStream {
    return createReadStream('', { fd: this.handle, start, end: end - 1, highWaterMark: readChunkBytes })
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(join(path, '..'), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
