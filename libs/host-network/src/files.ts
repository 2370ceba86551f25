import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Files that other programs read. */
export interface NetworkFiles {
  /** Undefined where there is no such file. */
  read(path: string): Promise<string | undefined>
  /** Readable for everyone, with the directories that it needs. Whoever reads meanwhile sees the old contents or the new. */
  write(path: string, text: string): Promise<void>
  /** No error where there is nothing. */
  remove(path: string): Promise<void>
  /** Paths of the files in a directory; none where there is no such directory. */
  list(directory: string): Promise<string[]>
}

export const diskNetworkFiles: NetworkFiles = {
  read: (path) => orAbsent(readFile(path, 'utf8'), undefined),
  async write(path, text) {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    await writeFile(`${path}.new`, text, { mode: 0o644 })
    await rename(`${path}.new`, path)
  },
  remove: (path) => rm(path, { force: true }),
  list: async (directory) => (await orAbsent(readdir(directory), [])).map((name) => `${directory}/${name}`),
}

async function orAbsent<T, A>(promise: Promise<T>, absent: A): Promise<T | A> {
  try {
    return await promise
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
    throw error
  }
}
