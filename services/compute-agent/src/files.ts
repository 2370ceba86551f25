import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'

/** Small records on a disk. */
export interface Files {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>
  /** Whoever reads meanwhile, or after a power cut, sees the old contents or the new ones. */
  write(path: string, text: string): Promise<void>
  /** With all that is below; no error where there is nothing. */
  remove(path: string): Promise<void>
  /** Names; none where there is no such directory. */
  list(directory: string): Promise<string[]>
  makeDirectory(path: string, mode: number): Promise<void>
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
    },
    remove: (path) => rm(path, { recursive: true, force: true }),
    list: (directory) => orAbsent(readdir(directory), []),
    makeDirectory: async (path, mode) => void (await mkdir(path, { recursive: true, mode })),
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
