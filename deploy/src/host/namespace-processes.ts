import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process on a host, with the number that the machine knows it by and the one that the host does. */
export interface HostProcess {
  pid: number
  pidOnHost: number
  /** The first 15 characters of its program's name. */
  name: string
  command: string
}

/** Everything that runs in the process namespace of `init`, which itself is included with number 1. */
export function processesOnHost(init: number): HostProcess[] {
  const namespace = namespaceOf(init)
  if (namespace === undefined) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => namespaceOf(pid) === namespace)
    .flatMap((pid) => describe(pid) ?? [])
}

/** The process whose parent is `parent`, or undefined while there is none. */
export function onlyChildOf(parent: number): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = read(`/proc/${name}/status`)
    if (status && /^PPid:\s+(\d+)$/m.exec(status)?.[1] === String(parent)) return Number(name)
  }
  return undefined
}

function describe(pid: number): HostProcess | undefined {
  const status = read(`/proc/${pid}/status`)
  const numbers = status && /^NSpid:\s+(.*)$/m.exec(status)?.[1]
  if (!status || !numbers) return undefined
  return {
    pid,
    pidOnHost: Number(numbers.split(/\s+/).at(-1)),
    name: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '',
    command: (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim(),
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
