import { Database } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { systemClock } from '@nubo/kernel'
import type { CloudClient } from '../support/client.js'
import type { Cloud } from '../support/cloud.js'
import { median, p99, rounded } from './statistics.js'

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

  /** From the first record to the last of these servers, in seconds. */
  async spanSeconds(ids: readonly string[], from: 'created_at', to: 'launched_at'): Promise<number>
  async spanSeconds(ids: readonly string[], from: 'deletion', to: 'deleted_at'): Promise<number>
  async spanSeconds(ids: readonly string[], from: 'created_at' | 'deletion', to: string): Promise<number> {
    const begun =
      from === 'created_at'
        ? 'min(v.created_at)'
        : `(SELECT min(o.started_at) FROM operations o WHERE o.server_id = ANY($1::uuid[]) AND o.kind = 'server.delete')`
    const [row] = await this.database.query<{ seconds: number }>(
      `SELECT extract(epoch FROM max(v.${to}) - ${begun})::float8 AS seconds FROM servers v WHERE v.id = ANY($1::uuid[])`,
      [ids],
    )
    return row!.seconds
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
}

export async function createServer(client: CloudClient, name: string, parts: ServerParts): Promise<string> {
  const answer = await client.compute<{ server: { id: string } }>('POST', '/servers', {
    server: { name, ...parts, networks: 'none' },
  })
  if (answer.status !== 202) throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body.server.id
}

async function deleteServer(client: CloudClient, id: string): Promise<void> {
  const answer = await client.compute('DELETE', `/servers/${id}`)
  if (answer.status !== 204) throw new Error(`DELETE: ${answer.status} ${JSON.stringify(answer.body)}`)
}

const settle = { timeoutMs: 300_000, everyMs: 5 }

/** Create to ACTIVE one after another. */
export async function oneByOne(client: CloudClient, times: ServerTimes, parts: ServerParts, count: number) {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    const id = await createServer(client, `one-${index}`, parts)
    ids.push(id)
    await waitFor('the server is ACTIVE', async () => (await times.progress([id])).active === 1, settle)
  }
  const milliseconds = await times.createToActiveMs(ids)
  await deleteAll(client, times, ids, 4)
  return { count, p50Ms: rounded(median(milliseconds)), p99Ms: rounded(p99(milliseconds)), ids }
}

/** Creates from several clients at once until all are ACTIVE, then deletes. */
export async function burst(client: CloudClient, times: ServerTimes, parts: ServerParts, count: number, clients: number) {
  const ids: string[] = []
  let next = 0
  const startedMs = systemClock.monotonicMs()
  await inParallel(clients, async () => {
    while (next < count) ids.push(await createServer(client, `burst-${next++}`, parts))
  })
  const acceptedSeconds = (systemClock.monotonicMs() - startedMs) / 1000
  await waitFor('all creates end', async () => (await times.progress(ids)).busy === 0, settle)
  const { active, error, busy } = await times.progress(ids)
  const createSeconds = await times.spanSeconds(ids, 'created_at', 'launched_at')
  await deleteAll(client, times, ids, clients)
  const deleteSeconds = await times.spanSeconds(ids, 'deletion', 'deleted_at')
  return {
    ...{ count, clients, active, error, leftInBuild: busy },
    acceptedPerSecond: rounded(count / acceptedSeconds),
    createsPerSecond: rounded(count / createSeconds),
    deletesPerSecond: rounded(count / deleteSeconds),
  }
}

async function deleteAll(client: CloudClient, times: ServerTimes, ids: readonly string[], clients: number): Promise<void> {
  let next = 0
  await inParallel(clients, async () => {
    while (next < ids.length) await deleteServer(client, ids[next++]!)
  })
  await waitFor('all deletes end', async () => (await times.progress(ids)).gone === ids.length, settle)
}

async function inParallel(clients: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: clients }, work))
}
