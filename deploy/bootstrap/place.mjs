import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The clone, its data folder, and what is kept there beside data. */
export const clone = dirname(dirname(import.meta.dirname))
export const dataFolder = join(clone, '.nubo')
export const toolchainFolder = join(dataFolder, 'toolchain')
export const stampFolder = join(toolchainFolder, 'stamps')

/** The user ids that the clone belongs to: what is written into it is written as them, not as root. */
export function cloneOwner() {
  const { uid, gid } = statSync(clone)
  return { uid, gid }
}

/** Makes the folders that need only be there. Everyone may pass through: services run as another user. */
export function makeFolders() {
  for (const folder of [dataFolder, toolchainFolder, stampFolder]) mkdirSync(folder, { recursive: true, mode: 0o755 })
}
