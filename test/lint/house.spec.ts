import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const repository = dirname(dirname(import.meta.dirname))

/** A place, what stands there, and the rule that refuses it. */
const refused: [file: string, line: string, rule: string][] = [
  // Libs import only the libs below them.
  ['libs/kernel/src/a.ts', `import { newServer } from '@nubo/domain'`, 'house(imports)'],
  ['libs/node-libvirt/src/a.ts', `import { systemClock } from '@nubo/kernel'`, 'house(imports)'],
  ['libs/domain/src/rules/a.ts', `import { claimRoom } from '@nubo/database'`, 'house(imports)'],
  ['libs/domain/src/a.ts', `import type { Job } from '@nubo/contract'`, 'house(imports)'],
  ['libs/queue/src/a.ts', `export * from '@nubo/workflow'`, 'house(imports)'],
  ['libs/queue/src/b.ts', `export { operation } from '@nubo/workflow'`, 'house(imports)'],
  ['libs/database/src/a.ts', `export const lazily = () => import('@nubo/api')`, 'house(imports)'],
  ['libs/database/src/b.ts', `export type Hidden = import('@nubo/hypervisor').Hypervisor`, 'house(imports)'],
  ['libs/wire/src/a.ts', `import { check } from '@nubo/auth/tokens'`, 'house(imports)'],
  ['libs/wire/src/b.ts', `import { newId } from '../../kernel/src/ids.js'`, 'house(imports)'],
  ['libs/a-lib-that-no-table-names/src/a.ts', `import { newId } from '@nubo/kernel'`, 'house(imports)'],
  // Services import libs, never a service; programs on hosts know no database.
  ['services/api/src/a.ts', `import { Placer } from '@nubo/scheduler'`, 'house(imports)'],
  ['services/api/src/a.spec.ts', `import { Placer } from '@nubo/scheduler'`, 'house(imports)'],
  ['services/api/src/b.ts', `import { Placer } from '../../scheduler/src/placer.js'`, 'house(imports)'],
  ['services/conductor/src/a.ts', `import { startPostgres } from '@nubo/deploy'`, 'house(imports)'],
  ['services/compute-agent/src/a.ts', `import { Database } from '@nubo/database'`, 'house(imports)'],
  ['services/compute-agent/src/b.ts', `import { ControlPlaneModule } from '@nubo/control-plane'`, 'house(imports)'],
  // Clients speak OpenStack's wire alone.
  ['clients/cli/src/a.ts', `import { CloudError } from '@nubo/kernel'`, 'house(imports)'],
  // What only one lib knows.
  ['services/api/src/prisma.ts', `import { PrismaClient } from '@prisma/client'`, 'house(imports)'],
  ['services/api/src/pg.ts', `import pg from 'pg'`, 'house(imports)'],
  ['libs/workflow/src/a.ts', `import { Queue } from 'bullmq'`, 'house(imports)'],
  ['services/conductor/src/redis.ts', `import { Redis } from 'ioredis'`, 'house(imports)'],
  ['services/compute-agent/src/c.ts', `import { connectLibvirt } from '@nubo/node-libvirt'`, 'house(imports)'],
  ['deploy/src/a.ts', `import { Queue } from 'bullmq'`, 'house(imports)'],
  ['test/bench/a.ts', `import { PrismaPg } from '@prisma/adapter-pg'`, 'house(imports)'],
  // Time, chance and the world come in through the door.
  ['libs/domain/src/time/a.ts', `export const at = Date.now()`, 'eslint(no-restricted-properties)'],
  ['libs/domain/src/time/b.ts', `export const at = new Date()`, 'house(no-ambient-date)'],
  ['libs/domain/src/time/c.ts', `export const at = Date()`, 'house(no-ambient-date)'],
  ['libs/domain/src/time/d.ts', `export const { now } = Date`, 'eslint(no-restricted-properties)'],
  ['libs/domain/src/time/e.ts', `export const at = performance.now()`, 'eslint(no-restricted-properties)'],
  ['services/api/src/time/a.ts', `setTimeout(() => {}, 1)`, 'eslint(no-restricted-globals)'],
  ['services/api/src/time/b.ts', `setInterval(() => {}, 1)`, 'eslint(no-restricted-globals)'],
  ['services/api/src/time/c.ts', `setImmediate(() => {})`, 'eslint(no-restricted-globals)'],
  ['services/api/src/time/d.ts', `globalThis.setTimeout(() => {}, 1)`, 'eslint(no-restricted-properties)'],
  ['services/api/src/time/e.ts', `import { setTimeout as sleep } from 'node:timers/promises'`, 'eslint(no-restricted-imports)'],
  ['libs/queue/src/chance/a.ts', `export const chance = Math.random()`, 'eslint(no-restricted-properties)'],
  ['libs/queue/src/chance/b.ts', `export const id = crypto.randomUUID()`, 'eslint(no-restricted-properties)'],
  ['libs/queue/src/chance/c.ts', `import { randomUUID } from 'node:crypto'`, 'eslint(no-restricted-imports)'],
  ['services/image/src/world/a.ts', `export const port = process.env.PORT`, 'eslint(no-restricted-properties)'],
  ['services/image/src/world/b.ts', `import { env } from 'node:process'`, 'eslint(no-restricted-imports)'],
  // What nobody reads.
  ['libs/auth/src/a.ts', `import { join } from 'node:path'`, 'eslint(no-unused-vars)'],
  ['libs/auth/src/b.ts', `export function f() { const x = 1 }`, 'eslint(no-unused-vars)'],
]

/** A place and what may stand there, exported so that it is used. */
const allowed: [file: string, line: string][] = [
  ['libs/kernel/src/ok.ts', `export const wall = () => [Date.now(), new Date(), Math.random(), setTimeout(() => {}, 1)]`],
  ['libs/service-kit/src/ok.ts', `export const environment = process.env`],
  ['libs/domain/src/ok.ts', `export const converted = (ms: number): Date => new Date(ms)`],
  ['libs/domain/src/ok.spec.ts', `export const inATest = [Date.now(), crypto.randomUUID(), setTimeout(() => {}, 1)]`],
  ['libs/domain/src/nested/ok.ts', `export { converted } from '../ok.js'`],
  ['libs/database/src/ok.ts', `export { PrismaPg } from '@prisma/adapter-pg'; export { default as pg } from 'pg'`],
  ['libs/database/src/ok.spec.ts', `export { startPostgres } from '@nubo/deploy'`],
  ['libs/queue/src/ok.ts', `export { Queue } from 'bullmq'; export { Redis } from 'ioredis'`],
  ['libs/queue/src/nested/ok.ts', `export { pg } from './pg.js'`],
  ['libs/hypervisor/src/ok.ts', `export { connectLibvirt } from '@nubo/node-libvirt'`],
  ['clients/cli/src/ok.ts', `export { Command } from 'commander'`],
  ['deploy/src/ok.ts', `export { default as pg } from 'pg'; export { Redis } from 'ioredis'; export const now = Date.now()`],
  ['test/bench/ok.ts', `export { default as pg } from 'pg'; export { start } from '../../services/api/src/service.js'`],
]

let root: string
/** The rules that refuse something, by file. */
const findings = new Map<string, string[]>()

/** A checkout with the same rules and nothing but the samples, linted at once. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'house-'))
  for (const path of ['.oxlintrc.json', 'test/lint/house.js']) cpSync(join(repository, path), join(root, path))
  for (const [file, content] of [...refused, ...allowed, ...dependencies()]) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), `${content}\n`, { flag: 'wx' })
  }
  for (const { filename, code } of lint()) findings.set(filename, [...(findings.get(filename) ?? []), code])
})

afterAll(() => rmSync(root, { recursive: true }))

describe('refuses', () => {
  test.each(refused)('in %s: %s', (file, _line, rule) => {
    expect(findings.get(file) ?? []).toContain(rule)
  })
})

describe('allows', () => {
  test.each(allowed)('in %s: %s', (file) => {
    expect(findings.get(file) ?? []).toEqual([])
  })

  test.each(dependencies())('%s: what its package.json asks for', (file) => {
    expect(findings.get(file) ?? []).toEqual([])
  })
})

/** A sample for each of our packages that depends on others of ours, with an import of each of them. */
function dependencies(): [file: string, content: string][] {
  return ['libs', 'services', 'clients'].flatMap((kind) =>
    readdirSync(join(repository, kind)).flatMap((name): [string, string][] => {
      const manifest = JSON.parse(readFileSync(join(repository, kind, name, 'package.json'), 'utf8'))
      const ours = Object.keys(manifest.dependencies ?? {}).filter((dependency) => dependency.startsWith('@nubo/'))
      const content = ours.map((dependency) => `export * from '${dependency}'`).join('\n')
      return ours.length === 0 ? [] : [[`${kind}/${name}/src/dependencies.ts`, content]]
    }),
  )
}

function lint(): { filename: string; code: string }[] {
  try {
    execFileSync(join(repository, 'node_modules', '.bin', 'oxlint'), ['--format=json'], { cwd: root, stdio: 'pipe' })
  } catch (error) {
    // It ends with 1 where it finds something, and here it must.
    return JSON.parse((error as { stdout: Buffer }).stdout.toString()).diagnostics
  }
  throw new Error('oxlint refused none of the samples')
}
