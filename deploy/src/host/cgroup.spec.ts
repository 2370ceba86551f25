import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ensureCgroup } from './cgroup.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nubo-cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const group = { path: 'nubo-1/host-1', memoryMiB: 512 }
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

describe('ensureCgroup', () => {
  it('hands the memory controller down in version 2', () => {
    writeFileSync(join(root, 'cgroup.controllers'), 'cpuset cpu io memory pids\n')
    expect(ensureCgroup(group, root)).toBe(join(root, 'nubo-1/host-1/cgroup.procs'))
    expect(read('cgroup.subtree_control')).toBe('+memory')
    expect(read('nubo-1/cgroup.subtree_control')).toBe('+memory')
    expect(existsSync(join(root, 'nubo-1/host-1/cgroup.subtree_control'))).toBe(false)
    expect(read('nubo-1/host-1/memory.max')).toBe(String(512 * 1024 * 1024))
  })

  it('uses the memory hierarchy in version 1', () => {
    mkdirSync(join(root, 'memory'))
    writeFileSync(join(root, 'memory/cgroup.procs'), '')
    expect(ensureCgroup(group, root)).toBe(join(root, 'memory/nubo-1/host-1/cgroup.procs'))
    expect(read('memory/nubo-1/host-1/memory.limit_in_bytes')).toBe(String(512 * 1024 * 1024))
  })

  it('goes without where no memory controller is to be had', () => {
    expect(ensureCgroup(group, root)).toBeUndefined()
    writeFileSync(join(root, 'cgroup.controllers'), 'cpu io\n')
    expect(ensureCgroup(group, root)).toBeUndefined()
  })
})
