import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { repository } from './repository.js'

/** What a command of the real client came to. */
export interface ClientRun {
  ok: boolean
  output: string
  errors: string
}

interface Command {
  arguments: readonly string[]
  environment: Record<string, string>
}

const everywhere = { PATH: process.env['PATH']!, LC_ALL: 'C.UTF-8', HOME: '/nonexistent' }

/** Runs commands by a client that is loaded already: openstack-client.py. It ends with this process, and keeps nobody from ending. */
class LoadedClient {
  private readonly python = spawn('/usr/bin/python3', [join(repository, 'test/support/openstack-client.py')], {
    env: everywhere,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  private readonly directory = mkdtempSync(join(tmpdir(), 'nubo-client-'))
  private readonly running = new Map<number, PromiseWithResolvers<number>>()
  private count = 0

  constructor() {
    const { python, running, directory } = this
    for (const each of [python, python.stdin as Socket, python.stdout as Socket]) each.unref()
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    createInterface(python.stdout).on('line', (line) => {
      const { id, code } = JSON.parse(line) as { id: number; code: number }
      running.get(id)!.resolve(code)
      running.delete(id)
    })
    const end = (error: Error) => running.forEach(({ reject }) => reject(error))
    python.on('error', end)
    python.on('exit', (code) => end(new Error(`the loaded client ended with ${code}`)))
  }

  async run(command: Command): Promise<ClientRun> {
    const id = ++this.count
    const [output, errors] = ['output', 'errors'].map((name) => join(this.directory, `${id}.${name}`)) as [string, string]
    const ended = Promise.withResolvers<number>()
    this.running.set(id, ended)
    this.python.stdin.write(`${JSON.stringify({ id, output, errors, ...command })}\n`)
    const code = await ended.promise
    return { ok: code === 0, output: readFileSync(output, 'utf8'), errors: readFileSync(errors, 'utf8') }
  }
}

let loaded: LoadedClient | undefined

/** Debian's python3-openstackclient, as a person runs it. */
export class OpenStackClient {
  constructor(
    private readonly cloudsFile: string,
    readonly cloud: string,
    private readonly environment: Record<string, string> = {},
  ) {}

  /** The same client with more in its environment, such as a user of another project. */
  with(environment: Record<string, string>): OpenStackClient {
    return new OpenStackClient(this.cloudsFile, this.cloud, { ...this.environment, ...environment })
  }

  async try(...args: string[]): Promise<ClientRun> {
    loaded ??= new LoadedClient()
    const environment = { ...everywhere, OS_CLIENT_CONFIG_FILE: this.cloudsFile, ...this.environment }
    return await loaded.run({ arguments: ['--os-cloud', this.cloud, ...args], environment })
  }

  /** Runs a command that must succeed, and returns what it wrote. */
  async run(...args: string[]): Promise<string> {
    const { ok, output, errors } = await this.try(...args)
    if (!ok) throw new Error(`openstack ${args.join(' ')}: ${errors.slice(-2_000)}`)
    return output
  }

  /** Runs a command that must succeed, and reads its JSON. */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.run(...args, '-f', 'json')) as T
  }
}
