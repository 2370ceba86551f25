import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a command of the real client came to. */
export interface ClientRun {
  ok: boolean
  output: string
  errors: string
}

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
    const env = {
      PATH: process.env['PATH']!,
      LC_ALL: 'C.UTF-8',
      HOME: '/nonexistent',
      OS_CLIENT_CONFIG_FILE: this.cloudsFile,
      ...this.environment,
    }
    const program = ['--os-cloud', this.cloud, ...args]
    try {
      const { stdout, stderr } = await run('openstack', program, { env, timeout: 240_000, maxBuffer: 64 * 1024 ** 2 })
      return { ok: true, output: stdout, errors: stderr }
    } catch (error) {
      const failed = error as { stdout?: string; stderr?: string; message: string }
      return { ok: false, output: failed.stdout ?? '', errors: failed.stderr || failed.message }
    }
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
