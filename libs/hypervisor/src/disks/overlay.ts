import { assert } from '@nubo/kernel'
import { writeFile } from 'node:fs/promises'
import type { BackingFile } from '../guest-definition.js'
import type { ProcessRunner } from '../processes.js'

export interface OverlayRequest {
  /** Where it is made; what lies there is overwritten. */
  path: string
  backing: BackingFile
  /** What the guest sees as the size of its disk; at least that of the backing file. */
  sizeBytes: number
}

const timeoutMs = 60_000

/** Makes a qcow2 file that begins as a copy of its backing file, takes next to no room, and only its owner may read. */
export async function createOverlay(processes: ProcessRunner, { path, backing, sizeBytes }: OverlayRequest): Promise<void> {
  // A relative name, or one that QEMU would take for a protocol, would lead elsewhere.
  for (const each of [path, backing.path]) assert(each.startsWith('/'), `'${each}' is an absolute path`)
  await writeFile(path, '', { mode: 0o600 })
  const args = ['create', '-q', '-f', 'qcow2', '-F', backing.format, '-b', backing.path, path, String(sizeBytes)]
  await processes.run('qemu-img', args, { timeoutMs })
}
