import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../process/wait.js'

const letGoWithinMs = 30_000

/**
 * A control group around all that a host runs, so that the host as a whole stays within its share of the machine. It works
 * with version 2 and with version 1 (memory alone), and is left out where neither can be written, as in a container.
 */
export interface HostCgroup {
  /** Relative, such as `nubo-1a2b3c4d/host-1`. */
  path: string
  memoryMiB: number
}

/** Folder and limit file of the memory controller on this machine, or undefined. */
function memoryController(root: string): { mount: string; limitFile: string } | undefined {
  if (existsSync(join(root, 'cgroup.controllers'))) {
    const controllers = readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' ')
    return controllers.includes('memory') ? { mount: root, limitFile: 'memory.max' } : undefined
  }
  const mount = join(root, 'memory')
  return existsSync(join(mount, 'cgroup.procs')) ? { mount, limitFile: 'memory.limit_in_bytes' } : undefined
}

/** Makes the group with its limit; gives the file that a process is added to it by, or undefined where there can be none. */
export function ensureCgroup(group: HostCgroup, root = '/sys/fs/cgroup'): string | undefined {
  const controller = memoryController(root)
  if (!controller) return undefined
  const folder = join(controller.mount, group.path)
  try {
    mkdirSync(folder, { recursive: true })
    if (controller.limitFile === 'memory.max') delegateMemory(controller.mount, group.path)
    writeFileSync(join(folder, controller.limitFile), String(group.memoryMiB * 1024 * 1024))
    return join(folder, 'cgroup.procs')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'EBUSY' || code === 'ENOENT') return undefined
    throw error
  }
}

/** In version 2 a controller reaches a group only when every group above hands it down. */
function delegateMemory(mount: string, path: string): void {
  const above = path.split('/').slice(0, -1)
  for (let depth = 0; depth <= above.length; depth++) {
    writeFileSync(join(mount, ...above.slice(0, depth), 'cgroup.subtree_control'), '+memory')
  }
}

/**
 * Removes the group and all below it. The kernel lets go of it some moments after its last process has ended, more of them
 * on a busy machine.
 */
export async function removeCgroup(path: string, root = '/sys/fs/cgroup'): Promise<void> {
  const controller = memoryController(root)
  if (!controller) return
  const folder = join(controller.mount, path)
  await waitFor(`the control group ${path} is let go of`, () => !existsSync(folder) || removeFolder(folder), {
    timeoutMs: letGoWithinMs,
    everyMs: 100,
  })
}

/** False while something still runs in it. */
function removeFolder(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory() && !removeFolder(join(folder, entry.name))) return false
    rmdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
    throw error
  }
}
