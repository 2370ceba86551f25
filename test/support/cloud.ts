import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureHostKey } from '@nubo/auth'
import { Database, enrolHostKey } from '@nubo/database'
import { createMigrated } from '@nubo/database/testing'
import {
  freePort,
  hostRules,
  memoryEnvironment,
  nodeFlags,
  redisRoles,
  roleRules,
  startPostgres,
  startRedis,
  waitFor,
} from '@nubo/deploy'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { CloudClient } from './client.js'
import {
  agentConfigurationOf,
  configurationOf,
  redisPassword,
  writeKeys,
  type HostOptions,
  type KnownHost,
  type ServiceOptions,
} from './cloud-configuration.js'
import { repository } from './repository.js'
import { Stack } from './stack.js'

const stopWithinMs = 20_000
/** As `npm run up` starts services (deploy/src/services.ts, deploy/src/configuration.ts). */
const environment = { NODE_ENV: 'production', NODE_OPTIONS: '', ...memoryEnvironment }
const memoryFolder = '/dev/shm'

export interface CloudOptions extends ServiceOptions {
  hosts: readonly HostOptions[]
  /** True keeps on the disk what was committed, as in production; what is measured should be. Tests do without. */
  durable?: boolean
}

type Replicated = 'scheduler' | 'conductor'
type ServiceName = 'api' | 'image' | Replicated | `${Replicated}-2` | `agent-${string}`

/**
 * A whole cloud in processes of its own, as `npm run up` runs them, but with simulated hosts unless told otherwise and
 * everything in a temporary folder: for suites that look at the API, at speed, and at what happens when a process dies.
 */
export class Cloud implements AsyncDisposable {
  readonly passwords = { admin: 'admin-password', demo: 'demo-password' }
  private readonly processes = new Map<ServiceName, ChildProcess>()
  /** Where each host keeps what it has, its key among it. */
  readonly hostDirectories = new Map<string, string>()
  private readonly configurations = new Map<ServiceName, Record<string, unknown>>()

  private constructor(
    private readonly stack: Stack,
    readonly directory: string,
    readonly postgres: Awaited<ReturnType<typeof startPostgres>>,
    readonly redis: Awaited<ReturnType<typeof startRedis>>,
    readonly databaseAddress: Awaited<ReturnType<typeof createMigrated>>,
    readonly apiUrl: string,
    readonly imageUrl: string,
  ) {}

  static async start(options: CloudOptions): Promise<Cloud> {
    const stack = new Stack()
    try {
      const directory = await temporaryDirectory(stack, tmpdir())
      // A host that is not there writes to a disk that is not there.
      const simulatedDisks = await temporaryDirectory(stack, existsSync(memoryFolder) ? memoryFolder : tmpdir())
      const postgres = stack.add(await startPostgres({ durable: options.durable ?? false }), (each) => each.stop())
      const hosts = options.hosts.map((host) => ({ ...host, id: newId<HostId>(systemRandom) }))
      const redis = stack.add(await startRedis({ persistent: true, users: redisUsers(hosts) }), (each) => each.stop())
      const address = await createMigrated(postgres)
      const [api, image] = [await freePort(), await freePort()]
      const cloud = new Cloud(stack, directory, postgres, redis, address, `http://127.0.0.1:${api}`, `http://127.0.0.1:${image}`)
      stack.add(cloud, (each) => each.stopAll())
      await cloud.configure(hosts, options, simulatedDisks)
      await cloud.bootstrap()
      await cloud.enrol(hosts)
      await Promise.all([...cloud.configurations.keys()].map((name) => cloud.startService(name)))
      return cloud
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
  }

  get names(): ServiceName[] {
    return [...this.configurations.keys()]
  }

  pidOf(name: ServiceName): number {
    return this.processes.get(name)!.pid!
  }

  client(): CloudClient {
    return new CloudClient(this.apiUrl, this.imageUrl)
  }

  admin(): Promise<CloudClient> {
    return this.client().login('admin', this.passwords.admin, 'admin')
  }

  demo(): Promise<CloudClient> {
    return this.client().login('demo', this.passwords.demo, 'demo')
  }

  async logOf(name: ServiceName): Promise<string> {
    return await readFile(join(this.directory, `${name}.log`), 'utf8')
  }

  /** Starts a service and waits until it says that it is ready. */
  async startService(name: ServiceName): Promise<void> {
    const child = this.launch(name)
    const { host, port } = this.configurations.get(name)!.listen as { host: string; port: number }
    await waitFor(
      `${name} is ready`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended: ${(await this.logOf(name)).slice(-2_000)}`)
        const answer = await fetch(`http://${host}:${port}/readyz`).catch(() => undefined)
        return answer?.status === 200
      },
      { timeoutMs: 60_000, everyMs: 20 },
    )
  }

  private launch(name: ServiceName): ChildProcess {
    const program = name.startsWith('agent-') ? 'compute-agent' : name.replace(/-2$/, '')
    const output = openSync(join(this.directory, `${name}.log`), 'a')
    const service = join(repository, `services/${program}/dist/main.js`)
    // Whatever becomes of us, it does not stay behind.
    const command = ['--pdeathsig', 'KILL', process.execPath, ...nodeFlags, service, '--config', this.configurationFile(name)]
    const child = spawn('setpriv', command, { env: { ...process.env, ...environment }, stdio: ['ignore', output, output] })
    closeSync(output)
    this.processes.set(name, child)
    return child
  }

  /** Starts another of a service beside the one that runs, and gives its name. */
  async startSecond(name: Replicated): Promise<ServiceName> {
    const second = await this.copy(name, {})
    await this.startService(second)
    return second
  }

  /** Starts the agent of a host that was copied, with its disk and all that it believes to be: it may never be ready. */
  async startTwin(name: `agent-${string}`): Promise<ServiceName> {
    const { host } = this.configurations.get(name) as { host: { directory: string } }
    const directory = `${host.directory}-twin`
    await cp(host.directory, directory, { recursive: true })
    const twin = await this.copy(name, { host: { ...host, directory } })
    this.launch(twin)
    return twin
  }

  private async copy(name: Replicated | `agent-${string}`, different: Record<string, unknown>): Promise<ServiceName> {
    const copy = `${name}-2` as const
    const listen = { host: '127.0.0.1', port: await freePort() }
    await this.write(copy, { ...this.configurations.get(name), listen, ...different })
    return copy
  }

  /** What a service tells of itself, in Prometheus' text format. */
  async figuresOf(name: ServiceName): Promise<string> {
    const { host, port } = (this.configurations.get(name)!.metrics as { listen: { host: string; port: number } }).listen
    return await (await fetch(`http://${host}:${port}/metrics`)).text()
  }

  /** How a process that was killed ended. */
  endOf(name: ServiceName): number | NodeJS.Signals | null {
    const { exitCode, signalCode } = this.processes.get(name)!
    return exitCode ?? signalCode
  }

  async kill(name: ServiceName, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.processes.get(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]()
  }

  private async stopAll(): Promise<void> {
    const hard = setTimeout(() => {
      for (const child of this.processes.values()) child.kill('SIGKILL')
    }, stopWithinMs)
    await Promise.all([...this.processes.keys()].map((name) => this.kill(name, 'SIGTERM')))
    clearTimeout(hard)
  }

  private configurationFile(name: string): string {
    return join(this.directory, `${name}.json`)
  }

  /** As `up` does, but by the record: no service runs yet. */
  private async enrol(hosts: readonly KnownHost[]): Promise<void> {
    const database = Database.connect({ ...this.databaseAddress, poolSize: 1 })
    try {
      for (const { id, name } of hosts) {
        const { publicKeyPem } = ensureHostKey(join(this.hostDirectories.get(name)!, 'identity'))
        await enrolHostKey(database, id, publicKeyPem, null)
      }
    } finally {
      await database.close()
    }
  }

  private async configure(hosts: readonly KnownHost[], options: CloudOptions, simulatedDisks: string): Promise<void> {
    const { databaseAddress: database, redis, apiUrl, imageUrl } = this
    const images = join(this.directory, 'images')
    await mkdir(images)
    const ground = { database, redis: redis.address, keys: await writeKeys(this.directory), apiUrl, imageUrl, images }
    for (const name of ['api', 'image', 'scheduler', 'conductor'] as const)
      await this.write(name, configurationOf(name, ground, options))
    for (const host of hosts) {
      const directory = host.libvirt?.directory ?? join(simulatedDisks, host.name)
      this.hostDirectories.set(host.name, directory)
      await mkdir(directory, { recursive: true })
      await this.write(`agent-${host.name}`, agentConfigurationOf({ ...host, directory }, ground, options))
    }
  }

  private async write(name: ServiceName, configuration: Record<string, unknown>): Promise<void> {
    const anywhere = async () => ({ host: '127.0.0.1', port: await freePort() })
    const complete = { listen: await anywhere(), ...configuration, metrics: { listen: await anywhere() } }
    this.configurations.set(name, complete)
    await writeFile(this.configurationFile(name), JSON.stringify(complete), { mode: 0o600 })
  }

  private async bootstrap(): Promise<void> {
    const file = this.configurationFile('bootstrap')
    await writeFile(file, JSON.stringify({ adminPassword: this.passwords.admin, demoPassword: this.passwords.demo }), {
      mode: 0o600,
    })
    const child = spawn(
      process.execPath,
      [join(repository, 'services/api/dist/bootstrap.js'), '--config', this.configurationFile('api'), '--bootstrap', file],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let said = ''
    child.stdout.on('data', (text) => (said += text))
    child.stderr.on('data', (text) => (said += text))
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) throw new Error(`bootstrap failed: ${said}`)
  }
}

/** As in the file that `up` writes (deploy/src/cloud.ts), all with one password. */
function redisUsers(hosts: readonly KnownHost[]) {
  const roles = redisRoles.map((role) => ({ name: role as string, password: redisPassword, rules: roleRules[role] }))
  return [...roles, ...hosts.map(({ id, name }) => ({ name, password: redisPassword, rules: hostRules(id) }))]
}

async function temporaryDirectory(stack: Stack, parent: string): Promise<string> {
  return stack.add(await mkdtemp(join(parent, 'nubo-cloud-')), (each) => rm(each, { recursive: true, force: true }))
}
