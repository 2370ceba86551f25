import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Engine } from './engine.js'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.open()
}, 120_000)
afterAll(() => engine.close())
beforeEach(() => engine.reset(1))

const group = '00000000-0000-4000-8000-000000000001'
const read = (text: string) => engine.run<{ said: unknown }>(text, [], 0).rows.map(({ said }) => said)
const addGroup = (nowMs = 0) =>
  engine.run(`INSERT INTO security_groups (id, project_id, name) VALUES ($1, 'project', 'group')`, [group], nowMs)
const addRule = () =>
  engine.run(
    `INSERT INTO security_group_rules (id, group_id, project_id, direction, ethertype) VALUES ($1, $1, 'project', 'ingress', 'IPv4')`,
    [group],
    0,
  )
const countGroups = 'SELECT count(*)::int AS said FROM security_groups'
const countRules = 'SELECT count(*)::int AS said FROM security_group_rules'

describe("the simulation's PostgreSQL", () => {
  it('reads what was written, and what is there again when that was taken back', () => {
    expect(read(countGroups)).toEqual([0])
    engine.run('BEGIN', [], 0)
    addGroup()
    expect(read(countGroups)).toEqual([1])
    engine.run('ROLLBACK', [], 0)
    expect(read(countGroups)).toEqual([0])
    addGroup()
    expect(read(countGroups)).toEqual([1])
    engine.run('BEGIN', [], 0)
    engine.run('SAVEPOINT here', [], 0)
    engine.run('DELETE FROM security_groups', [], 0)
    expect(read(countGroups)).toEqual([0])
    engine.run('ROLLBACK TO SAVEPOINT here', [], 0)
    expect(read(countGroups)).toEqual([1])
    engine.run('COMMIT', [], 0)
    expect(read(countGroups)).toEqual([1])
  })

  it('reads that rows went with those that they refer to', () => {
    addGroup()
    addRule()
    expect(read(countRules)).toEqual([1])
    engine.run('DELETE FROM security_groups', [], 0)
    expect(read(countRules)).toEqual([0])
  })

  it('refuses what is read in a transaction that is broken, though it was read before', () => {
    read(countGroups)
    engine.run('BEGIN', [], 0)
    expect(() => engine.run('SELECT 1 / 0', [], 0)).toThrow('division by zero')
    expect(() => read(countGroups)).toThrow('current transaction is aborted')
    engine.run('ROLLBACK', [], 0)
    expect(engine.isInTransaction).toBe(false)
    expect(read(countGroups)).toEqual([0])
  })

  it('begins a transaction at its own moment, and not when it is first asked for something', () => {
    engine.run('BEGIN', [], 1_000)
    expect(engine.isInTransaction).toBe(true)
    addGroup(5_000)
    engine.run('COMMIT', [], 9_000)
    expect(read(`SELECT to_char(created_at, 'HH24:MI:SS') AS said FROM security_groups`)).toEqual(['00:00:01'])
  })

  it('asks the time and chance anew each time', () => {
    const ask = (what: string) => read(`SELECT ${what} AS said`)[0]
    for (const what of ['clock_timestamp()::text', 'random()', 'gen_random_uuid()']) expect(ask(what)).not.toBe(ask(what))
  })

  it('gives each of what is asked at once its own rows', () => {
    engine.run('BEGIN', [], 0)
    addGroup()
    const asked = ['SELECT name FROM security_groups', countRules, 'SELECT 1 AS one UNION ALL SELECT 2'].map((text) => ({
      text,
      values: [],
    }))
    expect(engine.runAll(asked, 0)).toEqual([[{ name: 'group' }], [{ said: 0 }], [{ one: 1 }, { one: 2 }]])
    expect(() => engine.runAll([asked[0]!, { text: 'SELECT 1 / 0', values: [] }, asked[1]!], 0)).toThrow('division by zero')
    engine.run('ROLLBACK', [], 0)
    expect(read(countGroups)).toEqual([0])
  })

  it('forgets all of a history before the next, and keeps what the migrations wrote', () => {
    const watched = read('SELECT watched_at AS said FROM deadline_watch')
    engine.run('BEGIN', [], 0)
    addGroup()
    addRule()
    engine.run('COMMIT', [], 0)
    engine.run('UPDATE deadline_watch SET watched_at = clock_timestamp()', [], 60_000)
    engine.run('BEGIN', [], 0)
    engine.run('DELETE FROM deadline_watch', [], 0)
    engine.reset(2)
    expect(engine.isInTransaction).toBe(false)
    expect([read(countGroups), read(countRules)]).toEqual([[0], [0]])
    expect(read('SELECT watched_at AS said FROM deadline_watch')).toEqual(watched)
  })
})
