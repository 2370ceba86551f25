import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { networkPlanApplied, register, report, type Register } from '@nubo/contract'
import {
  listHypervisors,
  readHostSnapshot,
  readHypervisorTotals,
  registerHost,
  updateComputeService,
  type Database,
} from '@nubo/database'
import { addHost, registrationOf, TestDatabase } from '@nubo/database/testing'
import { startPostgres } from '@nubo/deploy'
import { newId, systemRandom, type SessionId } from '@nubo/kernel'

// A host that was taken over said that it had been up for 2^31 - 1 seconds, or kept as many MiB for itself: from then on the
// list of all hypervisors, or their statistics, failed for the overflow. One that named the highest epoch could not be
// fenced any more, and one that described itself in a megabyte of text was read with every placement.

const silenceMs = 30_000
let records: TestDatabase
let database: Database

beforeAll(async () => {
  records = await TestDatabase.on(await startPostgres())
  ;({ database } = records)
})
afterAll(() => records?.stop())
beforeEach(async () => {
  await database.execute('DELETE FROM hosts')
  await addHost(database, 'sound')
})

/** What an operator and the scheduler ask of all hosts, a day after the last word of each. */
async function askOfAll(): Promise<void> {
  await database.execute(
    `UPDATE hosts SET last_heard_at = clock_timestamp() - interval '1 day', used_memory_mib = 64, used_disk_gib = 1`,
  )
  expect(await listHypervisors(database, { silenceMs })).toHaveLength(2)
  expect(await readHypervisorTotals(database)).toMatchObject({ count: 2 })
  expect(JSON.stringify(await readHostSnapshot(database, silenceMs)).length).toBeLessThan(5_000)
}

/** True where the contract takes it. Whatever that takes is recorded as a conductor does. */
async function takesIn(said: Register): Promise<boolean> {
  const { success, data } = register.safeParse(said)
  if (!success) return false
  await database.transaction((tx) => registerHost(tx, data, newId<SessionId>(systemRandom)))
  return true
}

const plain = registrationOf('taken')
const numbers = Object.entries(plain.inventory).filter(([, value]) => typeof value === 'number')
const texts = Object.entries(plain.inventory).filter(([name, value]) => typeof value === 'string' && name !== 'virtType')

it.each(numbers.map(([name]) => name))(
  'as large a %s as the contract takes keeps nobody from asking of all hosts',
  async (name) => {
    const taken = []
    for (const value of [Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 31, 2 ** 31 - 1, 2 ** 30, 2 ** 20, 1_000, 1]) {
      const said = registrationOf('taken', { totalVcpus: 2 ** 20, totalMemoryMiB: 2 ** 30, totalDiskGiB: 2 ** 30, [name]: value })
      if (!(await takesIn(said))) continue
      taken.push(value)
      await askOfAll()
      await database.execute(`DELETE FROM hosts WHERE name = 'taken'`)
    }
    expect(taken).toContain(1)
  },
)

it.each(texts.map(([name]) => name))('as long or odd a %s as the contract takes keeps nobody from it either', async (name) => {
  for (const text of ['x'.repeat(900_000), 'a\0b', 'a\ud800b', '\udc00'.repeat(10_000)]) {
    expect(await takesIn(registrationOf('taken', { [name]: text }))).toBe(true)
    await askOfAll()
    await database.execute(`DELETE FROM hosts WHERE name = 'taken'`)
  }
})

it.each<[string, unknown]>([
  ['too long', ['x'.repeat(900_000)]],
  ['too deep', JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))],
  ['no text', { 'a\0': 1 }],
  ['half a character', ['\ud800']],
])('a description of its processor that is %s is not taken', async (_, part) => {
  expect(register.safeParse(registrationOf('taken', { cpuInfo: { part } })).success).toBe(false)
})

it('its words for people are such as can be recorded', () => {
  const said = `a\0${'\ud800'.repeat(10_000)}`
  const of = { hostId: plain.hostId, sessionId: plain.registrationId }
  const applied = { kind: 'network-plan-applied', ...of, revision: 1, trouble: said, warning: said }
  const { trouble, warning } = networkPlanApplied.parse(applied)
  const guest = { serverId: plain.hostId, incarnation: 1, powerState: 4, sequence: 1 }
  const changed = report.parse({ kind: 'guest-changed', ...of, ...guest, cause: 'killed', detail: said }) as { detail: string }
  for (const text of [trouble!, warning!, changed.detail])
    expect([text.length <= 4_000, text.includes('\0'), text.isWellFormed()]).toEqual([true, false, true])
})

it('whatever epoch it names, it can be fenced', async () => {
  for (const fencingEpoch of [Number.MAX_SAFE_INTEGER, 2 ** 31 - 1, 2 ** 30]) {
    const said = { ...registrationOf('taken'), fencingEpoch }
    if (!(await takesIn(said))) continue
    await updateComputeService(database, said.hostId, { forcedDown: true })
    const [row] = await database.query('SELECT forced_down FROM hosts WHERE id = $1', [said.hostId])
    expect(row).toEqual({ forced_down: true })
    await database.execute(`DELETE FROM hosts WHERE name = 'taken'`)
  }
})
