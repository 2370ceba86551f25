import { open, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * The console's log as virtlogd keeps it: `path` grows to virtlogd's `max_size`, then becomes `path.0`, which becomes
 * `path.1`, and so on up to `max_backups`.
 */
async function filesNewestFirst(path: string): Promise<string[]> {
  const prefix = basename(path) + '.'
  const entries = await readdir(dirname(path)).catch(() => [])
  const numbers = entries
    .filter((name) => name.startsWith(prefix) && /^[0-9]+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
  return [path, ...numbers.sort((a, b) => a - b).map((number) => join(dirname(path), prefix + number))]
}

/** The last `maximumBytes` over all files of the log; empty where there is none. */
export async function readConsoleLog(path: string, maximumBytes: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let wanted = maximumBytes
  for (const file of await filesNewestFirst(path)) {
    if (wanted <= 0) break
    const part = await readEnd(file, wanted)
    parts.unshift(part)
    wanted -= part.length
  }
  return Buffer.concat(parts)
}

async function readEnd(path: string, maximumBytes: number): Promise<Buffer> {
  const file = await open(path).catch(() => undefined)
  if (!file) return Buffer.alloc(0)
  try {
    const { size } = await file.stat()
    const length = Math.min(size, maximumBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Removes the log with its older parts. */
export async function removeConsoleLog(path: string): Promise<void> {
  for (const file of await filesNewestFirst(path)) await rm(file, { force: true })
}
