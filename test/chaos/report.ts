import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { repository } from '../support/repository.js'
import type { Answered, RequestKind } from './load/ledger.js'
import type { FailureCount, OperationCount } from './operations.js'
import type { RunOptions, RunResult } from './run.js'
import type { Timeline } from './timeline.js'

const folder = join(repository, '.nubo')
const kinds: readonly RequestKind[] = ['create', 'delete', 'start', 'stop', 'reboot', 'reboot-hard', 'attach', 'detach']
const answers: readonly Answered[] = ['accepted', 'refused', 'unavailable', 'unknown', 'broken']

export interface Report {
  options: RunOptions
  result: RunResult
  operations: readonly OperationCount[]
  failures: readonly FailureCount[]
}

/** What was done, what came of it and what held, for a person. */
export function tell({ options, result, operations, failures }: Report): void {
  const { ledger, faults, verdicts, restSeconds } = result
  console.log(`\nRequests${' '.repeat(8)}${answers.map((answer) => answer.padStart(12)).join('')}`)
  for (const kind of kinds)
    console.log(`  ${kind.padEnd(14)}${answers.map((answer) => String(ledger.count(answer, kind)).padStart(12)).join('')}`)
  console.log(`\nOperations that these and the cloud itself began`)
  for (const { kind, state, count, longestSeconds } of operations)
    console.log(`  ${kind.padEnd(26)}${state.padEnd(12)}${String(count).padStart(6)}, the longest ${longestSeconds.toFixed(1)} s`)
  if (failures.length > 0) console.log('\nWhy operations failed')
  for (const { kind, message, count } of failures) console.log(`  ${kind.padEnd(26)}${String(count).padStart(4)} ${message}`)
  console.log(`\nFaults (${faults.length})`)
  for (const [name, count] of countBy(faults.map(({ fault, target }) => `${fault}: ${target}`)))
    console.log(`  ${name.padEnd(40)}${count}`)
  const broken = verdicts.filter(({ violations }) => violations.length > 0)
  console.log(
    `\n${verdicts.length - broken.length} of ${verdicts.length} checks held; at rest ${restSeconds.toFixed(1)} s after the last fault`,
  )
  for (const { check, violations } of broken)
    console.log(`  BROKEN: ${check}: ${violations.length} times, such as ${violations[0]}`)
  if (broken.length > 0)
    console.log(`The same again: npm run chaos -- --minutes ${options.durationMs / 60_000} --seed ${options.seed}`)
}

/** Everything that the run saw, as JSON; gives the file. */
export function write({ options, result, operations, failures }: Report, timeline: Timeline): string {
  mkdirSync(folder, { recursive: true })
  const at = new Date().toISOString()
  const file = join(folder, `chaos-${options.seed}-${at.replaceAll(':', '-')}.json`)
  const { ledger, ...rest } = result
  const machine = { node: process.version, cpus: cpus().length, load: loadavg()[0] }
  const all = {
    at,
    commit: commit(),
    machine,
    options,
    ...rest,
    operations,
    failures,
    timeline: timeline.entries,
    requests: ledger.entries,
  }
  writeFileSync(file, JSON.stringify(all, null, 1))
  return file
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

function countBy(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
}
