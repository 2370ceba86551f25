import { operationsQueue } from '@nubo/contract'
import { waitFor } from '@nubo/deploy'
import { startControlPlane } from './control-plane.js'
import { ScriptedHost, type ScriptedHostOptions } from './scripted-host.js'
import { TestServers } from './servers.js'

type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>

/** A control plane whose hosts do as a test says: what the suites of operations stand on, emptied between their tests. */
export class ScriptedCloud implements AsyncDisposable {
  readonly servers: TestServers
  private hosts: ScriptedHost[] = []

  private constructor(readonly controlPlane: ControlPlane) {
    this.servers = new TestServers(controlPlane.database, controlPlane.queue)
  }

  static async start(): Promise<ScriptedCloud> {
    return new ScriptedCloud(await startControlPlane())
  }

  get database() {
    return this.controlPlane.database
  }

  get queue() {
    return this.controlPlane.queue
  }

  /** One that is registered, and obeys until it is told otherwise. */
  async addHost(options: Partial<ScriptedHostOptions> & { name: string }): Promise<ScriptedHost> {
    const host = new ScriptedHost(this.queue, { memoryMiB: 1_000, ...options })
    this.hosts.push(host)
    await host.start()
    return host
  }

  /** Tells the conductors that something of the networks changed, as whoever changed it does. */
  async hintNetworks(): Promise<void> {
    await this.queue.cast(operationsQueue, { kind: 'networks' })
  }

  /** Ends the hosts and forgets whatever was recorded. */
  async clear(): Promise<void> {
    for (const host of this.hosts.splice(0)) await host.stop()
    await this.database.execute(
      'TRUNCATE hosts, servers, allocations, abandoned_guests, operations, operation_steps, placement_decisions, project_quotas, host_networks, network_changes CASCADE',
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controlPlane[Symbol.asyncDispose]()
  }
}

/** Waits for what a test cannot go on without. */
export const until = <T>(condition: () => Promise<T>) =>
  waitFor('the condition of the test', condition, { timeoutMs: 60_000, everyMs: 10 })
