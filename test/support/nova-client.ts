import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { parse } from 'yaml'

const run = promisify(execFile)

interface Clouds {
  clouds: Record<string, { auth: Record<string, string> }>
}

/** Debian's python3-novaclient, which comes with the openstack client, as a person runs it: it knows what that one does not. */
export class NovaClient {
  private constructor(private readonly environment: Record<string, string>) {}

  static async of(cloudsFile: string, cloud: string): Promise<NovaClient> {
    const { auth } = (parse(await readFile(cloudsFile, 'utf8')) as Clouds).clouds[cloud]!
    const named = Object.entries(auth).map(([name, value]) => [`OS_${name.toUpperCase()}`, value])
    return new NovaClient(Object.fromEntries(named) as Record<string, string>)
  }

  /** Runs a command that must succeed, and returns what it wrote. */
  async run(...args: string[]): Promise<string> {
    const environment = { PATH: process.env['PATH']!, LC_ALL: 'C.UTF-8', HOME: '/nonexistent', ...this.environment }
    return (await run('/usr/bin/nova', args, { env: environment })).stdout.trim()
  }
}
