import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import {
  agentPort,
  bringUp,
  Cloud,
  controlPlaneConfigurations,
  controlPlaneServices,
  type ControlPlaneService,
  databaseOf,
  DataFolder,
  identify,
  isAlive,
  type KvmHost,
  loadInstallation,
  type ProcessIdentity,
  runOrThrow,
  serviceTrouble,
  signal,
  Steps,
  takeDown,
} from '@nubo/deploy/installation'
import { CloudClient } from '../support/client.js'
import { repository } from '../support/repository.js'
import { Clocks } from './clocks.js'

const toolchain = join(repository, '.nubo/toolchain')
/** A service that is restarted again and again waits up to 10 s between tries. */
const wellWithinMs = 120_000
const requestTimeoutMs = 30_000
/** As the agents name their domains, in QEMU's command line. */
const guestName = /guest=nubo-([0-9a-f-]{36})/

export interface GuestProcess {
  serverId: string
  process: ProcessIdentity
}

/**
 * The cloud that is broken on purpose: what `npm run up` makes, with its supervisor and its two hosts in namespaces, but in a
 * data folder of its own and without a first guest.
 */
export class World implements AsyncDisposable {
  readonly clocks: Clocks
  /** Servers that neither the load nor a fault on a single guest touches: only their host's end may end them. */
  readonly bystanders = new Set<string>()
  /** How often each service was killed: whatever else ended it was its own doing. */
  readonly kills = new Map<string, number>()

  private constructor(
    readonly directory: string,
    readonly cloud: Cloud,
    readonly database: Database,
  ) {
    this.clocks = new Clocks(this)
  }

  /** What an earlier run left behind under the same name, because it was killed, is taken away first. */
  static async start(name: string): Promise<World> {
    const directory = join(repository, '.nubo/test', name)
    await removeWhatIsThere(directory)
    await mkdir(directory, { recursive: true })
    // Programs that are not root find it below the data folder alone.
    if (existsSync(toolchain)) await runOrThrow('cp', ['-al', toolchain, directory])
    try {
      const cloud = await bringUp(new DataFolder(directory), new Steps())
      const database = Database.connect({ ...databaseOf(cloud.installation, cloud.places), poolSize: 2 })
      const world = new World(directory, cloud, database)
      await world.clocks.install()
      await world.waitUntilWell()
      return world
    } catch (error) {
      await removeWhatIsThere(directory)
      throw error
    }
  }

  get hosts(): KvmHost[] {
    return this.cloud.hosts
  }

  host(name: string): KvmHost {
    return this.hosts.find((host) => host.name === name)!
  }

  /** As a user of the project of the same name. */
  async client(user: 'admin' | 'demo'): Promise<CloudClient> {
    const { addresses, installation } = this.cloud
    const client = new CloudClient(addresses.api, addresses.image, requestTimeoutMs)
    return await client.login(user, installation.passwords[user], user)
  }

  /** The process that runs a service now, or undefined between its end and its next start. */
  async process(service: string): Promise<ProcessIdentity | undefined> {
    const services = await this.cloud.supervisor.ask({ verb: 'status' })
    const process = services.find(({ name }) => name === service)?.process
    return process && isAlive(process) ? process : undefined
  }

  /** Ends a service with kill -9; false where it was down already. */
  async kill(service: string): Promise<boolean> {
    const process = await this.process(service)
    if (!process || !signal(process, 'SIGKILL')) return false
    this.kills.set(service, (this.kills.get(service) ?? 0) + 1)
    return true
  }

  /** The guests that run on a host now, with QEMU's process of each. */
  guestProcesses(hostName: string): GuestProcess[] {
    return this.host(hostName)
      .processes()
      .flatMap(({ pid, command }) => {
        const serverId = guestName.exec(command)?.[1]
        const process = serverId && identify(pid)
        return process ? [{ serverId, process }] : []
      })
  }

  /** What is not as it should be, in words; nothing when everything runs and says that it is ready. */
  async troubles(): Promise<string[]> {
    const { installation, places } = this.cloud
    const configurations = controlPlaneConfigurations(installation, places)
    const services = controlPlaneServices.map(async (name: ControlPlaneService) => {
      const { host, port } = configurations[name].listen
      return said(name, await serviceTrouble(host, port))
    })
    const hosts = this.hosts.map(async (host) => {
      if (!host.isOn) return `${host.name} is off`
      return said(`the agent of ${host.name}`, await serviceTrouble(host.settings.address, agentPort))
    })
    const database = this.database.query('SELECT 1').then(
      () => undefined,
      (error: Error) => `postgres: ${error.message}`,
    )
    return (await Promise.all([...services, ...hosts, database])).filter((trouble) => trouble !== undefined)
  }

  async waitUntilWell(): Promise<void> {
    let troubles: string[] = []
    const well = async () => (troubles = await this.troubles()).length === 0
    await waitFor('everything is well', well, { timeoutMs: wellWithinMs, everyMs: 200 }).catch((error: Error) => {
      throw new Error(`${error.message}: ${troubles.join('; ')}`, { cause: error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.close()
    await removeWhatIsThere(this.directory)
  }
}

async function removeWhatIsThere(directory: string): Promise<void> {
  const folder = new DataFolder(directory)
  const installation = loadInstallation(folder)
  // Whatever a test leaves on its hosts is found by checks, so nothing here needs to end in order.
  if (installation) await takeDown(new Cloud(installation, folder), new Steps(), 0)
  await rm(directory, { recursive: true, force: true })
}

function said(name: string, trouble: string | undefined): string | undefined {
  return trouble === undefined ? undefined : `${name}: ${trouble}`
}
