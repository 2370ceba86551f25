import { lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Of a directory that was being removed. */
export const removedSuffix = '.removed'
/** What `stat` counts in, whatever the file system does. */
const blockBytes = 512

/** Small records on a disk. */
export interface Files {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>
  /** Whoever reads meanwhile, or after a power cut, sees the old contents or the new ones. */
  write(path: string, text: string): Promise<void>
  /**
   * With all that is below; no error where there is nothing. A directory goes at once: whoever is killed meanwhile leaves it
   * whole, or under its name with `removedSuffix`, for the next to remove.
   */
  remove(path: string): Promise<void>
  /** In one step, with all that is below. */
  rename(path: string, to: string): Promise<void>
  /** Names; none where there is no such directory. */
  list(directory: string): Promise<string[]>
  makeDirectory(path: string, mode: number): Promise<void>
  /** What the files in a directory take on the disk, holes not counted; 0 where there is no such directory. */
  bytesIn(directory: string): Promise<number>
}

/** @param durable whether what was written must outlive a power cut. */
export function diskFiles({ durable }: { durable: boolean }): Files {
  return {
    read: (path) => orAbsent(readFile(path, 'utf8'), undefined),
    async write(path, text) {
      const beside = `${path}.new`
      const file = await open(beside, 'w', 0o600)
      try {
        await file.writeFile(text)
        if (durable) await file.datasync()
      } finally {
        await file.close()
      }
      await rename(beside, path)
      // The name is in the directory, and only then on the disk when that is.
      if (durable) await flushDirectory(dirname(path))
    },
    async remove(path) {
      await rm(path, { force: true }).catch((error: unknown) => moveAside(path, error))
      await rm(`${path}${removedSuffix}`, { recursive: true, force: true })
    },
    rename,
    list: (directory) => orAbsent(readdir(directory), []),
    makeDirectory: async (path, mode) => void (await mkdir(path, { recursive: true, mode })),
    async bytesIn(directory) {
      const names = await orAbsent(readdir(directory), [])
      const sizes = names.map(async (name) => (await orAbsent(lstat(`${directory}/${name}`), { blocks: 0 })).blocks * blockBytes)
      return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0)
    },
  }
}

/** A directory that was removed in part looks like one that was made in part. */
async function moveAside(path: string, error: unknown): Promise<void> {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_FS_EISDIR') throw error
  await rm(`${path}${removedSuffix}`, { recursive: true, force: true })
  await rename(path, `${path}${removedSuffix}`)
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function orAbsent<T, A>(promise: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await promise
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
    throw error
  }
}
