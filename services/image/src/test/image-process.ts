import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@nubo/deploy'
import { Client, type ImageWorld } from './image-service.js'
import { soon } from './wait.js'

const program = join(import.meta.dirname, '../../dist/main.js')

/** An image service as a process of its own, built. */
export class ImageProcess {
  private constructor(
    private readonly world: ImageWorld,
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly output: string[],
  ) {}

  /** @param prefix a command line that runs the service, where it is not run directly */
  static async start(
    world: ImageWorld,
    limits: Record<string, unknown> = {},
    prefix: readonly string[] = [],
  ): Promise<ImageProcess> {
    if (!existsSync(program)) throw new Error(`${program} is missing: build first`)
    const port = await freePort()
    const file = join(world.directory, 'image.json')
    const configuration = { ...world.configuration({ limits }), log: { level: 'info' }, listen: { host: '127.0.0.1', port } }
    writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 })
    const [command, ...parameters] = [...prefix, process.execPath, program, '--config', file]
    const child = spawn(command!, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: string[] = []
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
    const started = new ImageProcess(world, child, `http://127.0.0.1:${port}`, output)
    await soon('the image service listens', () => {
      if (child.exitCode !== null) throw new Error(`the image service ended: ${output.join('')}`)
      return output.join('').includes('"listening"')
    })
    return started
  }

  async client(project: string): Promise<Client> {
    return new Client(this.url, await this.world.token(project))
  }

  get log(): string {
    return this.output.join('')
  }

  /** Memory that the process has for itself and not through files, in MiB. */
  get anonymousMib(): number {
    const [, kib] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8')) ?? []
    return Number(kib) / 1024
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal)
      await once(this.child, 'exit')
    }
    return this.child.exitCode
  }
}
