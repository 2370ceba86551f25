import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { computeQueue, reportsQueue, type Answer } from '@nubo/contract'
import { hostRules, roleRules, startRedis, waitFor } from '@nubo/deploy'
import { CloudError, newId, systemClock, systemRandom, type HostId, type Id, type ServerId, type SessionId } from '@nubo/kernel'
import { hurriedClock } from '@nubo/kernel/testing'
import { Redis } from 'ioredis'
import { BullMqQueue } from './bullmq-queue.js'
import { hostKeys, lineKey } from './host-keys.js'
import { HostQueue } from './host-queue.js'
import { MemoryQueue } from './memory-queue.js'
import type { Message, Queue } from './queue.js'
import { noSeal } from './seal.js'

const hostIds = Array.from({ length: 3 }, () => newId<HostId>(systemRandom))
const [one, two] = hostIds as [HostId, HostId]
const users = [
  ...(['api', 'conductor'] as const).map((name) => ({ name, password: 'secret', rules: roleRules[name] })),
  ...hostIds.map((id) => ({ name: id, password: 'secret', rules: hostRules(id) })),
]

let redis: Awaited<ReturnType<typeof startRedis>>
let admin: Redis
const queues: Queue[] = []
const errors: Error[] = []
const onError = (error: Error) => void errors.push(error)

beforeAll(async () => {
  redis = await startRedis({ persistent: true, users })
  admin = new Redis({ ...redis.address })
  admin.on('error', () => undefined)
})
afterEach(async () => {
  await Promise.all(queues.splice(0).map((queue) => queue.close()))
  expect(errors.filter(({ message }) => message.includes('NOPERM'))).toEqual([])
  errors.length = 0
})
afterAll(async () => {
  admin.disconnect()
  await redis.stop()
})

const opened = <Q extends Queue>(queue: Q): Q => {
  queues.push(queue)
  return queue
}
const as = (username: string) => ({
  redis: { ...redis.address, username, password: 'secret' },
  seal: noSeal,
  clock: systemClock,
  onError,
})
/** It looks around for hosts that lost their place ten times as often. */
const controlPlane = (role: 'api' | 'conductor' = 'conductor') =>
  opened(new BullMqQueue({ ...as(role), clock: hurriedClock, random: systemRandom }))
/** It takes its ticket for lost ten times as soon. */
const host = (hostId: HostId) => opened(new HostQueue({ ...as(hostId), hostId, patienceSeconds: 0.5 }))
const until = <T>(what: string, condition: () => T | Promise<T>) => waitFor(what, condition, { timeoutMs: 30_000, everyMs: 5 })

const serverId = newId<ServerId>(systemRandom)
const sessionId = newId<SessionId>(systemRandom)
const report = (hostId: HostId, sequence: number) => ({
  ...{ kind: 'guest-changed', hostId, sessionId, serverId, incarnation: 1, powerState: 4, sequence, cause: 'killed', detail: '' },
})
const acknowledge = (fence: number) => ({ kind: 'acknowledge', results: [{ serverId, fence }] })
const question = (lines?: number) => ({ kind: 'console-output', serverId, ...(lines === undefined ? {} : { lines }) })
const numbers = (messages: readonly Message[]) => messages.map(({ sequence }) => Number(sequence)).toSorted((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe.each<[string, () => { ours: Queue; theirs: Queue }]>([
  ['Redis', () => ({ ours: controlPlane(), theirs: host(one) })],
  [
    'memory',
    () => {
      const queue = opened(new MemoryQueue({ clock: systemClock, onError }))
      return { ours: queue, theirs: queue }
    },
  ],
])('between the control plane and a host, over %s', (_, open) => {
  it('carries reports one way and commands the other', async () => {
    const { ours, theirs } = open()
    const [told, commanded]: Message[][] = [[], []]
    ours.work(reportsQueue, async (message) => void told!.push(message), { concurrency: 4 })
    theirs.work(computeQueue(one), async (message) => void commanded!.push(message), { concurrency: 4 })
    await Promise.all(upTo(200).map((sequence) => theirs.cast(reportsQueue, report(one, sequence))))
    await ours.castAll(computeQueue(one), upTo(50).map(acknowledge))
    await until('all was taken', () => told!.length === 200 && commanded!.length === 50)
    expect(numbers(told!)).toEqual(upTo(200))
    expect(commanded).toEqual(upTo(50).map(acknowledge))
  })

  it('answers a question, or says why not, and nothing of a bug', async () => {
    const { ours, theirs } = open()
    ours.work(reportsQueue, async () => undefined, { concurrency: 1 })
    theirs.answer(computeQueue(one), async ({ lines }): Promise<Answer> => {
      if (lines === 1) throw new CloudError('NotFound', 'There is no such guest.')
      if (lines === 2) throw new Error('secret path /x')
      return { ok: true, value: { output: 'ü' } }
    })
    const ask = (lines?: number) => ours.ask(computeQueue(one), question(lines), 10_000)
    expect(await ask()).toEqual({ ok: true, value: { output: 'ü' } })
    expect(await ask(1)).toEqual({ ok: false, kind: 'NotFound', message: 'There is no such guest.' })
    expect(await ask(2)).toMatchObject({ ok: false, kind: 'Bug', message: expect.not.stringContaining('secret') })
  })

  // The plan of a host with many networks: Redis ended the connection for it, and what others cast over that went with it.
  it('carries commands that are longer than what Redis takes', async () => {
    const { ours, theirs } = open()
    const commanded: Message[] = []
    theirs.work(computeQueue(one), async (message) => void commanded.push(message), { concurrency: 4 })
    const results = Array.from({ length: 30_000 }, (_, fence) => ({ serverId, fence: fence + 1 }))
    const long = { kind: 'acknowledge', results }
    await Promise.all([acknowledge(1), long, acknowledge(2), long].map((each) => ours.cast(computeQueue(one), each)))
    await until('all was taken', () => commanded.length === 4)
    expect(commanded).toEqual([acknowledge(1), long, acknowledge(2), long])
    expect(errors).toEqual([])
  })

  it('does not wait for ever for an answer', async () => {
    await expect(open().ours.ask(computeQueue(two), question(), 200)).rejects.toMatchObject({ kind: 'Unavailable' })
  })
})

describe('over Redis', () => {
  it('answers what the api asked, through a conductor', async () => {
    controlPlane().work(reportsQueue, async () => undefined, { concurrency: 1 })
    host(one).answer(computeQueue(one), async () => ({ ok: true, value: 1 }))
    expect(await controlPlane('api').ask(computeQueue(one), question(), 10_000)).toEqual({ ok: true, value: 1 })
  })

  it('goes on after Redis lost everything', async () => {
    const told: Message[] = []
    const theirs = host(one)
    controlPlane().work(reportsQueue, async (message) => void told.push(message), { concurrency: 1 })
    await theirs.cast(reportsQueue, report(one, 1))
    await until('the first was taken', () => told.length === 1 && theirs.depth(reportsQueue).then((depth) => depth === 0))
    await admin.flushall()
    await theirs.cast(reportsQueue, report(one, 2))
    await until('the second was taken', () => told.length === 2)
    expect(numbers(told)).toEqual([1, 2])
  })

  it('says for how long the line has been waiting, by the marks that the control plane puts in it', async () => {
    const ours = controlPlane()
    expect(await ours.backlog(reportsQueue)).toEqual({ waiting: 0, oldestMs: 0 })
    await admin.rpush(lineKey, two)
    await ours.cast(reportsQueue, { kind: 'hearing' })
    await until('some time to pass', async () => (await ours.backlog(reportsQueue)).oldestMs > 50)
    await ours.cast(reportsQueue, { kind: 'hearing' })
    expect(await ours.backlog(reportsQueue)).toEqual({ waiting: 3, oldestMs: expect.any(Number) })
    expect((await ours.backlog(reportsQueue)).oldestMs).toBeGreaterThan(50)
    const marks: Message[] = []
    ours.work(reportsQueue, async (message) => void marks.push(message), { concurrency: 4 })
    await until('nothing waits', async () => (await ours.backlog(reportsQueue)).waiting === 0)
    await until('both marks were heard', () => marks.length === 2)
    expect(marks).toEqual([{ kind: 'hearing' }, { kind: 'hearing' }])
    expect(await ours.backlog(reportsQueue)).toEqual({ waiting: 0, oldestMs: 0 })
  })

  it('keeps the place in line of a host that tells something just when a conductor leaves', async () => {
    const theirs = host(one)
    const ours = controlPlane()
    const heard = new Set<unknown>()
    const hear = () => ours.work(reportsQueue, async ({ sequence }) => void heard.add(sequence), { concurrency: 4 })
    const waits = async () => String(await admin.client('LIST')).includes('cmd=blmpop')
    const isAtHome = async () => (await admin.llen(hostKeys(one).ticket)) === 1
    for (let sequence = 1; sequence <= 100; sequence++) {
      const line = hear()
      if (sequence === 1) await theirs.cast(reportsQueue, report(one, 101))
      await until('the conductor waits, and the host has its ticket', async () => (await waits()) && (await isAtHome()))
      await Promise.all([theirs.cast(reportsQueue, report(one, sequence)), line.close()])
      expect(await admin.lrange(lineKey, 0, -1)).toEqual(heard.has(sequence) ? [] : [one])
    }
    hear()
    await until('all was heard', () => heard.size === 101)
  }, 120_000)

  it('goes on after a conductor died with what it had taken', async () => {
    const theirs = host(one)
    await admin.flushall()
    // Takes the outbox and does not give the ticket back.
    const end = Promise.withResolvers<void>()
    controlPlane().work(reportsQueue, () => end.promise, { concurrency: 1 })
    await theirs.cast(reportsQueue, report(one, 1))
    await until('it was taken', async () => (await admin.exists(hostKeys(one).outbox, lineKey)) === 0)
    const told: Message[] = []
    controlPlane().work(reportsQueue, async (message) => void told.push(message), { concurrency: 1 })
    await until('the next one hears the host', async () => {
      await theirs.cast(reportsQueue, report(one, 2)).catch(() => undefined)
      return told.length > 0
    })
    expect(told[0]).toMatchObject({ sequence: 2 })
    end.resolve()
  })

  it('keeps no more of a host than one batch, and refuses the rest', async () => {
    await admin.flushall()
    const flooding = host(one)
    const casts = upTo(1_100).map((sequence) => flooding.cast(reportsQueue, report(one, sequence)))
    const refused = (await Promise.allSettled(casts)).filter(({ status }) => status === 'rejected').length
    expect(await admin.llen(lineKey)).toBe(0)
    const kept = (await admin.get(hostKeys(one).outbox))!.split('\n').length
    expect(kept).toBeLessThanOrEqual(64)
    expect(refused).toBe(1_100 - kept)
  })

  it('hears the others between one batch and the next of a host that never stops', async () => {
    await admin.flushall()
    const [flooding, quiet] = [host(one), host(two)]
    const told: Message[] = []
    const take = async (message: Message) => {
      told.push(message)
      if (message['hostId'] === one) await flooding.cast(reportsQueue, report(one, Number(message['sequence']) + 64))
    }
    controlPlane().work(reportsQueue, async (message) => void take(message).catch(() => undefined), { concurrency: 1 })
    await quiet.cast(reportsQueue, report(two, 5_000))
    await until('the quiet one has its ticket', async () => told.length === 1 && (await quiet.depth(reportsQueue)) === 0)
    for (const sequence of upTo(640)) void flooding.cast(reportsQueue, report(one, sequence)).catch(() => undefined)
    await until('the flood comes in', () => told.length > 64)
    const before = told.length
    await quiet.cast(reportsQueue, report(two, 5_001))
    await until('the quiet one was heard', () => told.some(({ sequence }) => sequence === 5_001))
    const at = told.findIndex(({ sequence }) => sequence === 5_001)
    expect(at - before).toBeLessThan(640)
  })

  it('puts what a host answers where its own questions are answered alone', async () => {
    controlPlane().work(reportsQueue, async () => undefined, { concurrency: 1 })
    const asked = controlPlane('api').ask(computeQueue(one), question(), 2_000)
    const guessed = await until('the question is there', () =>
      admin.lrange(hostKeys(one).questions, 0, -1).then(([text]) => text),
    )
    const { questionId } = JSON.parse(guessed) as { questionId: Id<'question'> }
    await host(two).cast(reportsQueue, { kind: 'answer', hostId: two, questionId, answer: { ok: true, value: 'forged' } })
    await expect(asked).rejects.toMatchObject({ kind: 'Unavailable' })
  })

  // A host that was taken over filled Redis with them: each was kept for half a minute, and they came as fast as it told them.
  it('keeps no answer that nobody asked for, and none twice', async () => {
    await admin.flushall()
    const ours = controlPlane()
    ours.work(reportsQueue, async () => undefined, { concurrency: 1 })
    const theirs = host(one)
    const tell = (questionId: Id<'question'>, value: string) =>
      theirs.cast(reportsQueue, { kind: 'answer', hostId: one, questionId, answer: { ok: true, value } })
    for (let count = 0; count < 100; count++) await tell(newId(systemRandom), 'unasked')
    const asked = ours.ask(computeQueue(one), question(), 10_000)
    const text = await until('the question is there', () => admin.lpop(hostKeys(one).questions))
    const { questionId } = JSON.parse(text!) as { questionId: Id<'question'> }
    for (const value of ['first', 'second']) await tell(questionId, value)
    expect(await asked).toEqual({ ok: true, value: 'first' })
    await until('all was heard', async () => (await theirs.depth(reportsQueue)) === 0)
    expect(await admin.keys('nubo:a*')).toEqual([])
  })

  it('passes on no answer that is longer than what Redis takes, and keeps its connection', async () => {
    await admin.flushall()
    const ours = controlPlane()
    ours.work(reportsQueue, async () => undefined, { concurrency: 1 })
    const asked = ours.ask(computeQueue(one), question(), 1_000)
    const text = await until('the question is there', () => admin.lpop(hostKeys(one).questions))
    const { questionId } = JSON.parse(text!) as { questionId: Id<'question'> }
    const value = '[' + '1e20,'.repeat(150_000) + '1]'
    const answer = `{"kind":"answer","hostId":"${one}","questionId":"${questionId}","answer":{"ok":true,"value":${value}}}`
    await admin.set(hostKeys(one).outbox, answer)
    await admin.rpush(lineKey, one)
    await expect(asked).rejects.toMatchObject({ kind: 'Unavailable' })
    expect(errors).toEqual([])
  })

  it('sends nothing that breaks the contract', async () => {
    await expect(host(one).cast(reportsQueue, { kind: 'result' })).rejects.toMatchObject({ kind: 'Bug' })
    await expect(controlPlane().cast(computeQueue(one), { kind: 'build' })).rejects.toMatchObject({ kind: 'Bug' })
    await expect(controlPlane().cast('placement', { kind: 'step' })).rejects.toMatchObject({ kind: 'Bug' })
  })

  it("does not count as waiting what went with Redis's data, and its ticket with it: a host that waited would for ever", async () => {
    const theirs = host(two)
    await theirs.cast(reportsQueue, report(two, 1))
    expect(await theirs.depth(reportsQueue)).toBe(1)
    await admin.flushall()
    await until('it counts as lost', async () => (await theirs.depth(reportsQueue)) === 0)
    const heard: Message[] = []
    controlPlane().work(reportsQueue, async (message) => void heard.push(message), { concurrency: 1 })
    await theirs.cast(reportsQueue, report(two, 2))
    await until('what is told then is heard', () => heard.some(({ sequence }) => sequence === 2))
  })
})
