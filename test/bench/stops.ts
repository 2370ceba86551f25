import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { startLibvirtHost } from '@nubo/hypervisor/testing'
import { systemClock } from '@nubo/kernel'
import { Cloud } from '../support/cloud.js'
import type { Figure } from './figures.js'
import { createServer, deleteAll } from './servers.js'
import { prepare, type Stage, type Stages } from './stage.js'

type ServiceName = Cloud['names'][number]

interface Stop {
  /** From SIGTERM to the end of the process. */
  leavesMs: number
  /** Until its next process says that it is ready. */
  awayMs: number
  /** How long the operations that were under way at SIGTERM went on, the longest of them. */
  longestMs: number
}

const services = ['scheduler', 'conductor', 'agent-one', 'image', 'api'] as const
const deletingClients = 16
const clients = 3
const settle = { timeoutMs: 120_000, everyMs: 5 }
/** A boot sector that halts the processor. */
const restingGuest = new Uint8Array(1024 * 1024)
restingGuest.set([0xfa, 0xf4, 0xeb, 0xfc])
restingGuest.set([0x55, 0xaa], 510)

/** What a service that is told to leave costs those who wait, by the database's clock: nothing waits for a lock of it. */
export async function benchStops(stages: Stages): Promise<Figure[]> {
  const stage = await stages.simulated()
  const figures: Figure[] = []
  for (const name of services) figures.push(...figuresOf(name, await underLoad(stage, name)))
  return [...figures, ...figuresOf('agent, building a QEMU guest', await withRealGuest())]
}

function figuresOf(name: string, { leavesMs, awayMs, longestMs }: Stop): Figure[] {
  return [
    { name: `${name}: leaves`, value: leavesMs, unit: 'ms' },
    { name: '  is back', value: awayMs, unit: 'ms' },
    { name: '  the longest of what was under way', value: longestMs, unit: 'ms' },
  ]
}

async function underLoad(stage: Stage, name: ServiceName): Promise<Stop> {
  const ids: string[] = []
  let loading = true
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let index = 0; loading; index++) {
      // Nobody answers while the api is away: a client with patience asks again.
      const id = await createServer(stage.demo, `stop-${client}-${index}`, stage.parts).catch(() => systemClock.sleep(50))
      if (id !== undefined) ids.push(id)
    }
  })
  await waitFor('some are under way', async () => ids.length >= 20, settle)
  const stop = await stopAndStart(stage, name, async () => {
    loading = false
    await Promise.all(load)
  })
  await removeAll(stage, ids)
  return stop
}

async function withRealGuest(): Promise<Stop> {
  await using stack = new AsyncDisposableStack()
  const host = stack.adopt(await startLibvirtHost(), (each) => each.close())
  const libvirt = { socketPath: host.libvirtd.socketPath, directory: host.directory, virtType: 'qemu' as const }
  const size = { name: 'real', vcpus: 64, memoryMiB: 65_536, diskGiB: 256 }
  const cloud = stack.use(await Cloud.start({ hosts: [{ ...size, libvirt }], durable: true, logLevel: 'info' }))
  const stage = await prepare(cloud, stack, restingGuest)
  const id = await createServer(stage.demo, 'leaving', stage.parts)
  const begun = async () => (await cloud.logOf('agent-real')).includes('command begins')
  await waitFor('the agent builds it', begun, { ...settle, everyMs: 1 })
  const stop = await stopAndStart(stage, 'agent-real', async () => undefined)
  await removeAll(stage, [id])
  return stop
}

/** @param whenBack is done when the service is ready again, before what was under way is waited for. */
async function stopAndStart({ cloud }: Stage, name: ServiceName, whenBack: () => Promise<void>): Promise<Stop> {
  const database = Database.connect({ ...cloud.databaseAddress, poolSize: 1 })
  try {
    const [at] = await database.query<{ at: Date }>('SELECT clock_timestamp() AS at')
    const beganMs = systemClock.monotonicMs()
    await cloud.kill(name, 'SIGTERM')
    const leavesMs = systemClock.monotonicMs() - beganMs
    await cloud.startService(name)
    const awayMs = systemClock.monotonicMs() - beganMs
    await whenBack()
    await waitFor('what was under way has ended', async () => (await unended(database, at!.at)) === 0, settle)
    return { leavesMs, awayMs, longestMs: await longestMs(database, at!.at) }
  } finally {
    await database.close()
  }
}

async function unended(database: Database, at: Date): Promise<number> {
  const select = 'SELECT count(*)::int AS count FROM operations WHERE started_at <= $1 AND finished_at IS NULL'
  return (await database.query<{ count: number }>(select, [at]))[0]!.count
}

async function longestMs(database: Database, at: Date): Promise<number> {
  const [row] = await database.query<{ ms: number }>(
    `SELECT COALESCE(max(extract(epoch FROM finished_at - $1::timestamptz)) * 1000, 0)::float8 AS ms FROM operations
     WHERE started_at <= $1 AND finished_at > $1`,
    [at],
  )
  return row!.ms
}

async function removeAll(stage: Stage, ids: readonly string[]): Promise<void> {
  await waitFor('all are ACTIVE', async () => (await stage.times.progress(ids)).active === ids.length, settle)
  await deleteAll(stage, ids, deletingClients)
}
