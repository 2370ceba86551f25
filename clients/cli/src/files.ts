import { readFileSync } from 'node:fs'
import { usageError } from './exit.js'

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'it is not yours to open',
  EPERM: 'it is not yours to open',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'it is there already',
}

/** Why a file could not be had, in words where there are some. */
export function fileProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? code ?? message
}

/** Reads a file that the person named, or throws a usage error that says what it is for, where, and why not. */
export function readNamedFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw usageError(`Cannot read ${what} ${path}: ${fileProblem(error)}`)
  }
}
