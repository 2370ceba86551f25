import { assert } from '@nubo/kernel'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessRunner } from '../processes.js'
import { layOutConfigDrive, type ConfigDriveContents } from './config-drive-layout.js'

const timeoutMs = 60_000

/**
 * Makes an ISO 9660 image with OpenStack's config drive (label `config-2`), that only its owner may read: it may carry a
 * password.
 * @param directory for what lies about meanwhile; private to us.
 */
export async function createConfigDrive(
  processes: ProcessRunner,
  { path, contents, directory }: { path: string; contents: ConfigDriveContents; directory: string },
): Promise<void> {
  const staged = await mkdtemp(join(directory, 'config-drive-'))
  try {
    assert(!/[=\\]/.test(staged), `'${staged}' holds no character that genisoimage reads as more than itself`)
    const grafts = await stage(staged, contents)
    await writeFile(path, '', { mode: 0o600 })
    const names = ['-V', 'config-2', '-J', '-r', '-l', '-ldots', '-allow-lowercase', '-allow-multidot', '-input-charset', 'utf-8']
    await processes.run('genisoimage', ['-quiet', '-o', path, ...names, '-graft-points', ...grafts], { timeoutMs })
  } finally {
    await rm(staged, { recursive: true, force: true })
  }
}

/** Writes each file once; genisoimage puts it into all its places, and its bytes on the drive once. */
async function stage(directory: string, contents: ConfigDriveContents): Promise<string[]> {
  const files = layOutConfigDrive(contents)
  const sources = files.map((_, index) => join(directory, String(index)))
  await Promise.all(files.map((file, index) => writeFile(sources[index]!, file.contents, { mode: 0o600 })))
  return files.flatMap(({ places }, index) => places.map((place) => `${place}=${sources[index]}`))
}
