import { waitFor } from '@nubo/deploy'
import { systemClock } from '@nubo/kernel'
import { Cloud } from '../support/cloud.js'
import type { CloudClient } from '../support/client.js'
import { ServerTimes, type ServerParts } from './servers.js'

/** A cloud that is ready for tenants' work: an image, a flavor, no quota in the way. */
export interface Stage {
  cloud: Cloud
  demo: CloudClient
  times: ServerTimes
  parts: ServerParts
}

const sizes = { vcpus: 4_096, memoryMiB: 4_194_304, diskGiB: 65_536 }

/** What the parts of the benchmark work on: made when it is first asked for, shared, gone at the end. */
export class Stages implements AsyncDisposable {
  private readonly stack = new AsyncDisposableStack()
  private shared: Promise<Stage> | undefined
  private filled: Promise<Stage> | undefined

  /** Two simulated hosts with room for everything, and PostgreSQL as durable as in production. */
  simulated(): Promise<Stage> {
    this.shared ??= this.setUp()
    return this.shared
  }

  /** The same, with `count` servers in it from now on. */
  withServers(count: number): Promise<Stage> {
    this.filled ??= this.simulated().then(async (stage) => {
      await fill(stage, count)
      return stage
    })
    return this.filled
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync()
  }

  private async setUp(): Promise<Stage> {
    const hosts = ['one', 'two'].map((name) => ({ name, ...sizes }))
    const cloud = this.stack.use(await Cloud.start({ hosts, durable: true }))
    const stage = await prepare(cloud, this.stack, new Uint8Array(1024 * 1024))
    await settle()
    return stage
  }
}

/** After a start or a load: services compile and give back memory then (HeapReturn's first look is 10 s after the start). */
export const settle = () => systemClock.sleep(15_000)

/** Uploads `image`, makes a flavor of 64 MiB and 1 GiB, and takes the demo project's limits off. */
export async function prepare(cloud: Cloud, stack: AsyncDisposableStack, image: Uint8Array): Promise<Stage> {
  const admin = await cloud.admin()
  const demo = await cloud.demo()
  const imageRef = await admin.uploadImage('bench', 'raw', image)
  const flavor = { name: 'bench', vcpus: 1, ram: 64, disk: 1 }
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
  const found = await demo.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
  await admin.compute('PUT', `/os-quota-sets/${found.body.projects[0]!.id}`, {
    quota_set: { instances: -1, cores: -1, ram: -1 },
  })
  const times = stack.use(new ServerTimes(cloud.databaseAddress))
  return { cloud, demo, times, parts: { imageRef, flavorRef: made.body.flavor.id } }
}

async function fill({ demo, times, parts }: Stage, count: number): Promise<void> {
  const answer = await demo.compute('POST', '/servers', {
    server: { name: 'listed', ...parts, networks: 'none', min_count: count, max_count: count },
  })
  if (answer.status !== 202) throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`)
  const listed = await demo.compute<{ servers: { id: string }[] }>('GET', '/servers')
  const ids = listed.body.servers.map(({ id }) => id)
  await waitFor('the servers are ACTIVE', async () => (await times.progress(ids)).active === count, { timeoutMs: 120_000 })
}
