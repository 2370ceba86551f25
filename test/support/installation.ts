import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repository } from './repository.js'

const run = promisify(execFile)
const toolchain = join(repository, '.nubo/toolchain')
/** Where deploy/guest-image/guest-image.e2e.ts keeps what it built too. */
const guestImages = join(repository, '.nubo/test/guest-image')

/**
 * An installation as `npm run up` makes it, with two hosts and real guests, but in a data folder of its own, so that it does
 * not meet one that is up in this clone.
 */
export class Installation implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async up(name: string): Promise<Installation> {
    const installation = new Installation(join(repository, '.nubo/test', name))
    await mkdir(installation.directory, { recursive: true })
    await installation.takeToolchain()
    await installation.shareGuestImages()
    try {
      await installation.command('up')
      return installation
    } catch (error) {
      await installation[Symbol.asyncDispose]()
      throw error
    }
  }

  get cloudsFile(): string {
    return join(this.directory, 'clouds.yaml')
  }

  /** The Node that runs us, as this installation has it. */
  private get node(): string {
    const { execPath } = process
    return execPath.startsWith(`${toolchain}/`) ? join(this.directory, 'toolchain', execPath.slice(toolchain.length)) : execPath
  }

  /** What was fetched for this clone serves here too: linked, as programs that are not root find it below the data folder alone. */
  private async takeToolchain(): Promise<void> {
    if (existsSync(toolchain)) await run('cp', ['-al', toolchain, this.directory])
  }

  /** The guest image is built once for all: whoever builds it knows by its contents what is there, and lets no other in. */
  private async shareGuestImages(): Promise<void> {
    const ours = join(this.directory, 'guest-image')
    await rm(ours, { recursive: true, force: true })
    for (const folder of [guestImages, ours]) await mkdir(folder, { recursive: true })
    await symlink(guestImages, join(ours, 'cache'))
  }

  /** What `up`, `down` or `status` wrote. Throws where it did not end well. */
  async command(...args: string[]): Promise<string> {
    const child = spawn(this.node, [join(repository, 'deploy/dist/main.js'), ...args], {
      cwd: repository,
      env: { ...process.env, NODE_OPTIONS: '', NUBO_DATA_FOLDER: this.directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${output}`)
    return output
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.command('down', '--wipe')
    await rm(this.directory, { recursive: true, force: true })
  }
}
