import { execFile } from 'node:child_process'
import { Limiter, type ProjectId } from '@nubo/kernel'
import { ImageRefused } from './image-refused.js'
import type { DiskFormat, Inspection } from './inspect.js'

export interface SecondOpinionLimits {
  /** Of one child: it is killed beyond. */
  seconds: number
  cpuSeconds: number
  memoryMib: number
  /** Children at once; the others wait, and projects take turns: a file of a megabyte can be made to keep one for its whole time. */
  concurrent: number
}

export const defaultSecondOpinionLimits: SecondOpinionLimits = { seconds: 60, cpuSeconds: 30, memoryMib: 512, concurrent: 2 }

/** Asks QEMU's own tool about a finished file. Rejects with `ImageRefused` where it disagrees with our reading of it. */
export interface SecondOpinion {
  /** How the tool is kept in, or why there is no second opinion; for the log. */
  readonly description: string
  ask(path: string, format: DiskFormat, inspection: Inspection, project: ProjectId): Promise<void>
}

/** No privilege and no network for a program that reads what strangers wrote, as far as this kernel and user allow. */
const enclosures: readonly (readonly string[])[] = [
  ['unshare', '--net', '--', 'setpriv', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--'],
  ['unshare', '--user', '--map-current-user', '--net', '--', 'setpriv', '--no-new-privs', '--'],
  ['setpriv', '--no-new-privs', '--'],
]

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
const maxAnswerBytes = 1 << 20

/** Finds qemu-img and the strictest enclosure that works here. */
export async function findSecondOpinion(limits: SecondOpinionLimits): Promise<SecondOpinion> {
  for (const enclosure of enclosures) {
    const command = [...enclosure, ...resourceLimits(limits), 'qemu-img']
    const trial = await run([...command, '--version'], limits.seconds)
    if (trial.exitCode === 0) return new QemuImg(command, limits, trial.output.split('\n')[0] ?? '')
  }
  return { description: 'none: qemu-img cannot be run here', ask: () => Promise.resolve() }
}

function resourceLimits(limits: SecondOpinionLimits): string[] {
  const memoryBytes = limits.memoryMib * 2 ** 20
  return ['prlimit', `--as=${memoryBytes}`, `--cpu=${limits.cpuSeconds}`, '--fsize=0', '--core=0', '--nofile=64', '--']
}

class QemuImg implements SecondOpinion {
  private readonly turns: Limiter
  readonly description: string

  constructor(
    private readonly command: readonly string[],
    private readonly limits: SecondOpinionLimits,
    version: string,
  ) {
    this.turns = new Limiter(limits.concurrent)
    this.description = `${version}, run by ${command[0]}`
  }

  async ask(path: string, format: DiskFormat, inspection: Inspection, project: ProjectId): Promise<void> {
    // A raw file has no structure to have an opinion on.
    if (format === 'raw') return
    await this.turns.run(async () => {
      checkDescription(await this.answer('info', path, format), inspection)
      await this.answer('check', path, format)
    }, project)
  }

  private async answer(question: 'info' | 'check', path: string, format: DiskFormat): Promise<Answer> {
    const { exitCode, output } = await run([...this.command, question, '--output=json', '-f', format, path], this.limits.seconds)
    // `check` answers 1 where it could not go on: for want of memory, or with more clusters than it can count.
    if (exitCode === undefined || (question === 'check' && exitCode === 1)) {
      throw new ImageRefused('too-costly-to-check', `Checking the ${format} image took more time or memory than is allowed here.`)
    }
    // `check` answers 3 for clusters that nothing refers to: a waste, no danger.
    if (exitCode !== 0 && !(question === 'check' && exitCode === 3)) {
      throw new ImageRefused('second-opinion', `QEMU finds the ${format} image damaged.`)
    }
    return JSON.parse(output) as Answer
  }
}

/** The parts of `qemu-img info --output=json` that matter here. */
interface Answer {
  format?: string
  'virtual-size'?: number
  'backing-filename'?: string
  'full-backing-filename'?: string
  encrypted?: boolean
  'format-specific'?: { data?: { 'data-file'?: string; corrupt?: boolean } }
}

function checkDescription(answer: Answer, inspection: Inspection): void {
  const details = answer['format-specific']?.data
  const reachesOut = answer['backing-filename'] ?? answer['full-backing-filename'] ?? details?.['data-file']
  if (answer['virtual-size'] !== inspection.virtualBytes || reachesOut !== undefined || answer.encrypted || details?.corrupt) {
    throw new ImageRefused('second-opinion', 'QEMU reads the image otherwise than its header says.')
  }
}

/** Runs a command to its end. `exitCode` is undefined where it was killed: by time, memory, CPU or what it wrote. */
function run(command: readonly string[], seconds: number): Promise<{ exitCode: number | undefined; output: string }> {
  const [program, ...argumentsOfIt] = command
  return new Promise((resolve) => {
    execFile(
      program!,
      argumentsOfIt,
      { timeout: seconds * 1000, killSignal: 'SIGKILL', maxBuffer: maxAnswerBytes, env: environment, cwd: '/' },
      (error, output) => {
        const code = (error as { code?: number | string | null } | null)?.code
        if (!error) return resolve({ exitCode: 0, output })
        // Shells and wrappers report a child's death by signal n as 128 + n.
        resolve({ exitCode: typeof code === 'number' && code < 128 ? code : undefined, output })
      },
    )
  })
}
