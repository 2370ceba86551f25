import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { PgOperationStore } from '@nubo/database'
import { waitFor } from '@nubo/deploy'
import { newId, systemClock, systemRandom, type Id, type RequestId, type ServerId } from '@nubo/kernel'
import { createLogger } from '@nubo/service-kit'
import { Caster, OperationEngine, operations } from '@nubo/workflow'
import { Reconciler } from '../../services/conductor/src/reconciler.js'
import { ScriptedHost } from './scripted-host.js'
import { ScriptedCloud } from './scripted-cloud.js'
import { TestServers } from './servers.js'

let cloud: ScriptedCloud
let servers: TestServers
let host: ScriptedHost
let told: string[] = []
let looked: string[] = []
const reconcilers: Reconciler[] = []

beforeAll(async () => {
  cloud = await ScriptedCloud.start()
  servers = cloud.servers
})

beforeEach(async () => {
  told = []
  host = await cloud.addHost({ name: 'one' })
})

afterEach(async () => {
  await Promise.all(reconcilers.splice(0).map((each) => each.stop()))
  await cloud.clear()
})

afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
})

/** One that looks twice at once, so that a test does not wait. */
function reconciler(everyMs = 60_000): Reconciler {
  const { database, queue } = cloud
  const store = new PgOperationStore(database)
  const engine = new OperationEngine(operations, systemRandom)
  const compose = { imageUrl: '', signImageCredential: async () => '' }
  const caster = new Caster({ store, queue, engine, compose, onError: () => undefined, onImpossible: async () => undefined })
  const newRequestId = () => `req-${newId<Id<'request'>>(systemRandom)}` as RequestId
  const made = new Reconciler({
    ...{ database, queue, random: systemRandom, everyMs },
    onLooked: (findings) => void (looked = findings.map(({ code }) => code)),
    clock: { ...systemClock, sleep: async () => undefined },
    logger: createLogger('test', 'warn', { write: (line) => void told.push(line) }),
    repairs: { store, engine, caster, newRequestId },
  })
  reconcilers.push(made)
  return made
}

const change = (text: string, ...values: unknown[]) => cloud.database.execute(text, values)
const until = <T>(condition: () => Promise<T>) =>
  waitFor('the condition of the test', condition, { timeoutMs: 60_000, everyMs: 10 })

async function activeServer(): Promise<ServerId> {
  const [id] = await servers.create(1)
  expect(await servers.settled([id!])).toEqual({ active: 1 })
  return id!
}

it('mends what was left on the way: a deletion that was forgotten, a step that outlived its operation, disks of the deleted', async () => {
  const [forgotten, deleted] = [await activeServer(), await activeServer()]
  await servers.delete(deleted)
  await servers.settled([deleted])
  host.layDown(deleted, 1)
  await change(`UPDATE servers SET wanted = 'deleted', vm_state = 'error' WHERE id = $1`, forgotten)
  await change(
    `INSERT INTO operation_steps (id, operation_id, name, queue) SELECT gen_random_uuid(), id, 'place', 'nowhere' FROM operations
     WHERE server_id = $1 AND kind = 'server.create'`,
    deleted,
  )
  await reconciler().reconcile()
  expect(await servers.settled([forgotten])).toEqual({ deleted: 1 })
  await until(async () => host.lying.size === 0)
  expect(await cloud.database.query(`SELECT FROM operation_steps WHERE name = 'place' AND state = 'open'`)).toEqual([])
  expect(told).toHaveLength(3)
})

it('tells of counters that are wrong, and leaves them to an operator', async () => {
  await change('UPDATE hosts SET used_vcpus = 5')
  await reconciler().reconcile()
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('left to an operator: Host one counts 5 vCPU')
  expect(await cloud.database.query('SELECT used_vcpus AS used FROM hosts')).toEqual([{ used: 5 }])
  expect(looked).toEqual(['room.counters-differ'])
})

it('removes nothing from a host that has another history than the records', async () => {
  const [id, other] = [await activeServer(), await activeServer()]
  await servers.delete(id)
  await servers.settled([id])
  host.layDown(id, 1)
  const journal = { fence: 99, incarnation: 1, ended: true, acknowledged: true, tombstone: 0 }
  host.lying.set(other, { ...host.lying.get(other)!, journal })
  const destroyed = () => host.commands.filter(({ kind }) => kind === 'destroy').length
  const before = destroyed()
  await reconciler().reconcile()
  expect(told.filter((line) => line.includes('left to an operator'))).toHaveLength(2)
  expect(host.lying.has(id)).toBe(true)
  host.lying.set(other, { ...host.lying.get(other)!, journal: null })
  await reconciler().reconcile()
  await until(async () => destroyed() === before + 1)
})

it('does not keep a server from other actions by trying again and again what its host refuses', async () => {
  const id = await activeServer()
  await servers.delete(id)
  await servers.settled([id])
  host.layDown(id, 1)
  host.answering = () => ({ state: 'failed', powerState: 4, failure: { scope: 'host', message: 'its disk is busy' } })
  const one = reconciler()
  await one.reconcile()
  await servers.settled([id])
  const asked = host.commands.length
  await one.reconcile()
  expect(host.commands).toHaveLength(asked)
  expect(told).toHaveLength(1)
})

it('removes nothing from a host in quarantine', async () => {
  const id = await activeServer()
  await servers.delete(id)
  await servers.settled([id])
  host.layDown(id, 1)
  await change(`UPDATE hosts SET quarantine = 'Its journal is gone.'`)
  const asked = host.commands.length
  await reconciler().reconcile()
  expect(host.commands).toHaveLength(asked)
  expect(told.map((line) => line.includes('left to an operator'))).toEqual([true, true])
})

it('of any number of conductors one takes its turn', async () => {
  await change(`UPDATE reconciliation SET looked_at = now() - interval '1 h'`)
  await change('UPDATE hosts SET used_vcpus = 5')
  await Promise.all(Array.from({ length: 8 }, () => reconciler().reconcileInTurn()))
  expect(told).toHaveLength(1)
})

it('stops without waiting for a host that does not answer', async () => {
  await host.stop()
  const made = reconciler()
  const looking = made.reconcile()
  await made.stop()
  await looking
  expect(told).toEqual([])
})
