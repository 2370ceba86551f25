import { waitFor } from '@nubo/deploy'
import type { CloudClient } from '../support/client.js'
import { Cloud } from '../support/cloud.js'
import type { ServerParts } from './load/requests.js'

const minutes = 60_000

interface Server {
  id: string
  status: string
}

/** A cloud with two simulated hosts and room for everything, and what the named cases ask of it. */
export class SimulatedCloud implements AsyncDisposable {
  private constructor(
    readonly cloud: Cloud,
    readonly admin: CloudClient,
    readonly demo: CloudClient,
    private readonly parts: ServerParts,
  ) {}

  static async start(): Promise<SimulatedCloud> {
    const sizes = { vcpus: 1_000, memoryMiB: 1_048_576, diskGiB: 10_000 }
    // Durable: what was committed must outlive a PostgreSQL that is killed, as in production.
    const cloud = await Cloud.start({ hosts: ['one', 'two'].map((name) => ({ name, ...sizes })), durable: true })
    try {
      const [admin, demo] = [await cloud.admin(), await cloud.demo()]
      const imageRef = await admin.uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
      const flavor = { name: 'tiny', vcpus: 1, ram: 64, disk: 1 }
      const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
      const found = await demo.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
      const quota_set = { instances: -1, cores: -1, ram: -1 }
      await admin.compute('PUT', `/os-quota-sets/${found.body.projects[0]!.id}`, { quota_set })
      return new SimulatedCloud(cloud, admin, demo, { imageRef, flavorRef: made.body.flavor.id, networks: 'none' })
    } catch (error) {
      await cloud[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Asks for a server, and gives the status of the answer. */
  async create(name: string): Promise<number> {
    return (await this.demo.compute('POST', '/servers', { server: { name, ...this.parts } })).status
  }

  async servers(): Promise<Server[]> {
    return (await this.demo.compute<{ servers: Server[] }>('GET', '/servers/detail?limit=1000')).body.servers
  }

  /** The status of an answer that takes a look at the database. */
  async answerToList(): Promise<number> {
    return (await this.demo.compute('GET', '/servers')).status
  }

  /** How many servers there are in each status, once none is in BUILD. */
  async settled(): Promise<Record<string, number>> {
    const all = await waitFor(
      'no server is in BUILD',
      async () => {
        const servers = await this.servers()
        return servers.every(({ status }) => status !== 'BUILD') ? servers : undefined
      },
      { timeoutMs: 3 * minutes, everyMs: 100 },
    )
    const counts: Record<string, number> = {}
    for (const { status } of all) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  /** Deletes everything, and waits until it is gone. */
  async clear(): Promise<void> {
    await Promise.all((await this.servers()).map(({ id }) => this.demo.compute('DELETE', `/servers/${id}`)))
    const gone = async () => (await this.servers()).length === 0
    await waitFor('all servers are gone', gone, { timeoutMs: 2 * minutes, everyMs: 100 })
  }

  /** How the hosts are shown, each by Nova's API and by ours; and whether the cloud says that it hears them. */
  async hosts(): Promise<{ states: string[]; areHeard: boolean }> {
    const byNova = await this.admin.compute<{ hypervisors: { state: string }[] }>('GET', '/os-hypervisors/detail')
    type Hosts = { hosts: { state: string }[]; hosts_are_heard: boolean }
    const { body } = await this.admin.call<Hosts>('GET', `${this.cloud.apiUrl}/nubo/v1/hosts`)
    return { states: [...byNova.body.hypervisors, ...body.hosts].map(({ state }) => state), areHeard: body.hosts_are_heard }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud[Symbol.asyncDispose]()
  }
}
