import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { Machine } from './shares.js'

const mebi = 2 ** 20

/**
 * What there is to share out. Memory is what the machine has, or what the control group that we run in allows, where that
 * is less. Disk is what is free now.
 */
export function machineOf(dataFolder: string): Machine {
  const disk = statfsSync(dataFolder)
  return {
    memoryMiB: Math.floor(Math.min(totalmem(), groupLimitBytes()) / mebi),
    cpus: cpus().length,
    diskGiB: Math.floor((disk.bavail * disk.bsize) / 2 ** 30),
  }
}

/** Memory that could be had now without swapping. */
export function availableMemoryMiB(): number {
  const meminfo = readFileSync('/proc/meminfo', 'utf8')
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)![1]) / 1024
  return Math.floor(Math.min(available, groupLimitBytes() / mebi))
}

function groupLimitBytes(): number {
  const files = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes']
  const limits = files.filter((file) => existsSync(file)).map((file) => Number(readFileSync(file, 'utf8')))
  return Math.min(Infinity, ...limits.filter((limit) => limit > 0))
}
