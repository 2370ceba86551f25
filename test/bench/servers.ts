import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { systemClock } from '@nubo/kernel'
import type { CloudClient } from '../support/client.js'
import type { Cloud } from '../support/cloud.js'
import type { Figure } from './figures.js'
import { processorFigures, processorTime } from './processor-time.js'
import type { Stage } from './stage.js'
import { median, p99 } from './statistics.js'

export interface ServerParts {
  imageRef: string
  flavorRef: string
}

interface Progress {
  total: number
  active: number
  error: number
  gone: number
  busy: number
}

export interface Milestones {
  createdMs: number
  placedMs: number
  activeMs: number
}

/** What the benchmark reads of the database: times between states are its clock's, not a poller's. */
export class ServerTimes implements AsyncDisposable {
  private readonly database: Database

  constructor(address: Cloud['databaseAddress']) {
    this.database = Database.connect({ ...address, poolSize: 2 })
  }

  /** From the record of the server to the record that it is ACTIVE, in ms. */
  async createToActiveMs(ids: readonly string[]): Promise<number[]> {
    const rows = await this.database.query<{ ms: number }>(
      `SELECT (extract(epoch FROM launched_at - created_at) * 1000)::float8 AS ms FROM servers WHERE id = ANY($1::uuid[]) AND launched_at IS NOT NULL`,
      [ids],
    )
    return rows.map((row) => row.ms)
  }

  /** When each server was recorded, placed, and recorded as ACTIVE, in ms since 1970, in the order of `ids`. */
  async milestones(ids: readonly string[]): Promise<Milestones[]> {
    const rows = await this.database.query<Milestones & { id: string }>(
      `SELECT v.id, extract(epoch FROM v.created_at)::float8 * 1000 AS "createdMs", extract(epoch FROM s.finished_at)::float8 * 1000 AS "placedMs",
         extract(epoch FROM v.launched_at)::float8 * 1000 AS "activeMs"
       FROM servers v JOIN operations o ON o.server_id = v.id AND o.kind = 'server.create'
         JOIN operation_steps s ON s.operation_id = o.id AND s.name = 'place' AND s.direction = 'do' AND s.state = 'done'
       WHERE v.id = ANY($1::uuid[]) AND v.launched_at IS NOT NULL`,
      [ids],
    )
    const found = new Map(rows.map((row) => [row.id, row]))
    return ids.map((id) => {
      const row = found.get(id)
      if (!row) throw new Error(`server ${id} was never ACTIVE`)
      return row
    })
  }

  /** From the record of the first of these servers to the record that the last is ACTIVE, in seconds. */
  async createSeconds(ids: readonly string[]): Promise<number> {
    return await this.seconds(`SELECT max(launched_at) - min(created_at) AS span FROM servers WHERE id = ANY($1::uuid[])`, ids)
  }

  /** From the record that the first of these servers is to be deleted to the record that the last is, in seconds. */
  async deleteSeconds(ids: readonly string[]): Promise<number> {
    const begun = `SELECT min(started_at) FROM operations WHERE server_id = ANY($1::uuid[]) AND kind = 'server.delete'`
    return await this.seconds(`SELECT max(deleted_at) - (${begun}) AS span FROM servers WHERE id = ANY($1::uuid[])`, ids)
  }

  async progress(ids: readonly string[]): Promise<Progress> {
    const [row] = await this.database.query<Progress>(
      `SELECT count(*)::int AS total, count(*) FILTER (WHERE vm_state = 'active')::int AS active,
         count(*) FILTER (WHERE vm_state = 'error')::int AS error, count(*) FILTER (WHERE deleted_at IS NOT NULL)::int AS gone,
         count(*) FILTER (WHERE vm_state = 'building')::int AS busy FROM servers WHERE id = ANY($1::uuid[])`,
      [ids],
    )
    return row!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.close()
  }

  private async seconds(selectSpan: string, ids: readonly string[]): Promise<number> {
    const select = `SELECT extract(epoch FROM span)::float8 AS seconds FROM (${selectSpan}) spans`
    const [row] = await this.database.query<{ seconds: number }>(select, [ids])
    return row!.seconds
  }
}

export async function createServer(client: CloudClient, name: string, parts: ServerParts): Promise<string> {
  const answer = await client.compute<{ server: { id: string } }>('POST', '/servers', {
    server: { name, ...parts, networks: 'none' },
  })
  if (answer.status !== 202) throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body.server.id
}

export async function deleteServer(client: CloudClient, id: string): Promise<void> {
  const answer = await client.compute('DELETE', `/servers/${id}`)
  if (answer.status !== 204) throw new Error(`DELETE: ${answer.status} ${JSON.stringify(answer.body)}`)
}

/** Often enough to begin with the next at once, or seldom enough not to be what is measured. */
const settleOne = { timeoutMs: 300_000, everyMs: 5 }
const settleMany = { timeoutMs: 300_000, everyMs: 50 }
const warmUps = 5
const burstRounds = 3

/** Create to ACTIVE one after another. */
export async function benchOneByOne(stage: Stage, count: number): Promise<Figure[]> {
  const { demo, times, parts } = stage
  const ids: string[] = []
  for (let index = 0; index < warmUps + count; index++) {
    const id = await createServer(demo, `one-${index}`, parts)
    ids.push(id)
    await waitFor('the server is ACTIVE', async () => (await times.progress([id])).active === 1, settleOne)
  }
  const milliseconds = await times.createToActiveMs(ids.slice(warmUps))
  await deleteAll(stage, ids, 4)
  const [p50Ms, p99Ms] = [median(milliseconds), p99(milliseconds)]
  return [{ name: 'create to ACTIVE', value: p50Ms, p99: p99Ms, unit: 'ms', aim: { atMost: 25 }, openStack: 486 }]
}

interface Burst {
  acceptedPerSecond: number
  createsPerSecond: number
  deletesPerSecond: number
  createToActiveMs: number[]
}

/** Creates from several clients at once until all are ACTIVE, then deletes; the medians of several rounds. */
export async function benchBurst(stage: Stage, count: number, clients: number): Promise<Figure[]> {
  const inRounds = async () => {
    const all: Burst[] = []
    for (let round = 0; round < burstRounds; round++) all.push(await burst(stage, count, clients))
    return all
  }
  const cost = await processorTime(stage.cloud, inRounds, (all) => all.length * count)
  const rounds = cost.result
  const over = (key: Exclude<keyof Burst, 'createToActiveMs'>) => median(rounds.map((round) => round[key]))
  const milliseconds = rounds.flatMap(({ createToActiveMs }) => createToActiveMs)
  return [
    { name: 'creates, all ACTIVE', value: over('createsPerSecond'), unit: '/s', aim: { atLeast: 200 }, openStack: 1.8 },
    { name: '  accepted', value: over('acceptedPerSecond'), unit: '/s' },
    { name: '  create to ACTIVE', value: median(milliseconds), p99: p99(milliseconds), unit: 'ms' },
    { name: 'deletes', value: over('deletesPerSecond'), unit: '/s', aim: { atLeast: 200 }, openStack: 3 },
    ...processorFigures('a create and its delete', cost),
  ]
}

/** Throws if one of them does not become ACTIVE. */
async function burst(stage: Stage, count: number, clients: number): Promise<Burst> {
  const { demo, times, parts } = stage
  const ids: string[] = []
  let next = 0
  const startedMs = systemClock.monotonicMs()
  await inParallel(clients, async () => {
    while (next < count) ids.push(await createServer(demo, `burst-${next++}`, parts))
  })
  const acceptedSeconds = (systemClock.monotonicMs() - startedMs) / 1000
  await waitFor('all creates end', async () => (await times.progress(ids)).busy === 0, settleMany)
  const { active } = await times.progress(ids)
  if (active < count) throw new Error(`of ${count} servers only ${active} became ACTIVE`)
  const createSeconds = await times.createSeconds(ids)
  const createToActiveMs = await times.createToActiveMs(ids)
  await deleteAll(stage, ids, clients)
  const deleteSeconds = await times.deleteSeconds(ids)
  return {
    acceptedPerSecond: count / acceptedSeconds,
    createsPerSecond: count / createSeconds,
    deletesPerSecond: count / deleteSeconds,
    createToActiveMs,
  }
}

/** From so many clients: more than the cloud has room for at a time it would refuse to begin. */
export async function deleteAll({ demo, times }: Stage, ids: readonly string[], clients: number): Promise<void> {
  let next = 0
  await inParallel(clients, async () => {
    while (next < ids.length) await deleteServer(demo, ids[next++]!)
  })
  await waitFor('all deletes end', async () => (await times.progress(ids)).gone === ids.length, settleMany)
}

async function inParallel(clients: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: clients }, work))
}
