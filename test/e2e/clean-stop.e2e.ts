import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { startLibvirtHost, testGuest } from '@nubo/hypervisor/testing'
import { createServer, deleteServer } from '../bench/servers.js'
import { prepare, type Stage } from '../bench/stage.js'
import { Cloud } from '../support/cloud.js'

// Who is told to leave hands over what it has: to the others at once, or to its next process. How long that takes is told by
// `npm run bench -- --only stops`.

jest.setTimeout(300_000)

const patience = { timeoutMs: 120_000, everyMs: 20 }
/** Services leave within 10 s, or with 1. */
const leavesWithin = { timeoutMs: 30_000, everyMs: 20 }

type ServiceName = Parameters<Cloud['kill']>[0]

/** Sends SIGTERM, and waits until the process has gone. */
async function leave(cloud: Cloud, name: ServiceName): Promise<void> {
  const gone = cloud.kill(name, 'SIGTERM').then(() => true)
  let isGone = false
  void gone.then(() => (isGone = true))
  await waitFor(`${name} leaves`, async () => isGone, leavesWithin)
  expect(cloud.endOf(name)).toBe(0)
}

describe('one of two that is told to leave under load', () => {
  const stack = new AsyncDisposableStack()
  let cloud: Cloud
  let stage: Stage

  beforeAll(async () => {
    const hosts = ['one', 'two'].map((name) => ({ name, vcpus: 1_024, memoryMiB: 1_048_576, diskGiB: 16_384 }))
    cloud = stack.use(await Cloud.start({ hosts }))
    stage = await prepare(cloud, stack, new Uint8Array(1024 * 1024))
  }, 300_000)
  afterAll(() => stack.disposeAsync())

  it.each(['scheduler', 'conductor'] as const)('(%s) leaves what it has to the other, which needs no help', async (name) => {
    await cloud.startSecond(name)
    let done = false
    const ids: string[] = []
    const load = Promise.all(
      Array.from({ length: 3 }, async (_, client) => {
        for (let index = 0; !done; index++) ids.push(await createServer(stage.demo, `${name}-${client}-${index}`, stage.parts))
      }),
    )
    await waitFor('some to be under way', async () => ids.length > 10, patience)
    await leave(cloud, name)
    const before = ids.length
    await waitFor('some more to be made', async () => ids.length > before + 10, patience)
    done = true
    await load
    const settled = async () => (await stage.times.progress(ids)).busy === 0
    await waitFor('none is being built any more', settled, patience)
    expect((await stage.times.progress(ids)).active).toBe(ids.length)
    await Promise.all(ids.map((id) => deleteServer(stage.demo, id)))
    await waitFor('all are gone', async () => (await stage.times.progress(ids)).gone === ids.length, patience)
  })
})

describe('an agent that is told to leave while it builds a real guest', () => {
  it('leaves, and its next process goes on: the guest is built once', async () => {
    await using stack = new AsyncDisposableStack()
    const host = stack.adopt(await startLibvirtHost(), (each) => each.close())
    const libvirt = { socketPath: host.libvirtd.socketPath, directory: host.directory, virtType: 'qemu' as const }
    const size = { name: 'real', vcpus: 64, memoryMiB: 65_536, diskGiB: 256 }
    const cloud = stack.use(await Cloud.start({ hosts: [{ ...size, libvirt }], logLevel: 'info' }))
    const image = new Uint8Array(1024 * 1024)
    image.set(testGuest)
    const stage = await prepare(cloud, stack, image)
    const database = stack.adopt(Database.connect({ ...cloud.databaseAddress, poolSize: 1 }), (each) => each.close())
    for (let round = 0; round < 3; round++) {
      const id = await createServer(stage.demo, `leaving-${round}`, stage.parts)
      const begun = async () =>
        (await cloud.logOf('agent-real')).split('\n').some((line) => line.includes(id) && line.includes('command begins'))
      await waitFor('the agent builds it', begun, { ...patience, everyMs: 1 })
      await leave(cloud, 'agent-real')
      await cloud.startService('agent-real')
      await waitFor('it is ACTIVE', async () => (await stage.times.progress([id])).active === 1, patience)
      expect(await host.domainNames()).toEqual([`nubo-${id}`])
      const [server] = await database.query<{ incarnation: number }>('SELECT incarnation FROM servers WHERE id = $1', [id])
      expect(server!.incarnation).toBe(1)
      await deleteServer(stage.demo, id)
      await waitFor('it is gone', async () => (await stage.times.progress([id])).gone === 1, patience)
    }
  })
})
