import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { PgOperationStore, type Database, type PgOperationTransaction } from '@nubo/database'
import { TestDatabase } from '@nubo/database/testing'
import { startPostgres, waitFor } from '@nubo/deploy'
import { newId, systemClock, systemRandom, type HostId, type ServerId, type StepId } from '@nubo/kernel'
import { MemoryQueue } from '@nubo/queue'
import { OperationEngine, operations } from '@nubo/workflow'
import { projectId, TestServers } from '../operations/servers.js'

// A deadline, or a second copy of a result, that waited for the lock of an operation went on with the step as it was before
// the wait: open. It made a server ERROR that had become ACTIVE in the very moment. What is joined to a locked row without a
// lock of its own is as old as the statement.

const engine = new OperationEngine(operations, systemRandom)
let records: TestDatabase
let database: Database
let store: PgOperationStore

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
  store = new PgOperationStore(database)
})

afterAll(() => records?.stop())

/** A server with an open step, on a host that is a name only: nobody is told of anything here. */
async function withOpenStep(): Promise<{ id: ServerId; stepId: StepId }> {
  const queue = new MemoryQueue({ clock: systemClock, onError: () => undefined })
  const [id] = await new TestServers(database, queue).create(1)
  const [step] = await database.query<{ id: StepId }>(
    `SELECT s.id FROM operation_steps s JOIN operations o ON o.id = s.operation_id WHERE o.server_id = $1 AND s.state = 'open'`,
    [id],
  )
  return { id: id!, stepId: step!.id }
}

/** Until some transaction waits for a lock of another. */
async function untilSomebodyWaits(): Promise<void> {
  const look = () => database.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND state = 'active'`)
  await waitFor('a transaction waits', async () => (await look()).length > 0, { timeoutMs: 60_000, everyMs: 5 })
}

/** Does `first` and, from when its rows are locked, `second`, which waits for it. */
async function oneAfterTheOther<T>(
  first: (tx: PgOperationTransaction) => Promise<unknown>,
  second: (tx: PgOperationTransaction) => Promise<T>,
): Promise<T> {
  let waiting: Promise<T> | undefined
  await store.transaction(async (tx) => {
    await first(tx)
    waiting = store.transaction(second)
    await untilSomebodyWaits()
  })
  return await waiting!
}

it('whoever waited for an operation reads its step as it is after the wait', async () => {
  const { stepId } = await withOpenStep()
  const state = await oneAfterTheOther(
    async (tx) => engine.failed(tx, (await tx.lockStep(stepId))!, { scope: 'request', message: 'no' }),
    async (tx) => (await tx.lockStep(stepId))?.step.state,
  )
  expect(state).toBe('failed')
})

it('whoever waited for a server sees the operation that began meanwhile', async () => {
  const { id, stepId } = await withOpenStep()
  await store.transaction(async (tx) => engine.failed(tx, (await tx.lockStep(stepId))!, { scope: 'request', message: 'no' }))
  const hostId = newId<HostId>(systemRandom)
  const requester = { projectId, userId: null, requestId: `req-${newId(systemRandom)}` as never }
  const live = await oneAfterTheOther(
    async (tx) => engine.begin(tx, 'server.delete', { ...(await tx.lockServer(id))!.server, hostId }, requester),
    async (tx) => (await tx.lockServer(id))?.live?.operation.kind,
  )
  expect(live).toBe('server.delete')
})
