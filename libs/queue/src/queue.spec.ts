import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { computeQueue } from '@nubo/contract'
import { startRedis, waitFor } from '@nubo/deploy'
import { newId, systemClock, systemRandom, type HostId, type ServerId } from '@nubo/kernel'
import { Redis } from 'ioredis'
import { BullMqQueue } from './bullmq-queue.js'
import { MemoryQueue } from './memory-queue.js'
import type { Message, Queue } from './queue.js'
import { noSeal } from './seal.js'

let redis: Awaited<ReturnType<typeof startRedis>>

beforeAll(async () => {
  redis = await startRedis({ persistent: true })
})

afterAll(async () => {
  await redis.stop()
})

const hostId = newId<HostId>(systemRandom)
const question = { kind: 'console-output', serverId: newId<ServerId>(systemRandom) }
const errors: Error[] = []
const onError = (error: Error) => void errors.push(error)
const overRedis = () => new BullMqQueue({ redis: redis.address, seal: noSeal, clock: systemClock, random: systemRandom, onError })
const until = <T>(what: string, condition: () => T | Promise<T>) => waitFor(what, condition, { timeoutMs: 30_000, everyMs: 5 })

/** What every queue must do, whatever carries it. */
describe.each<[string, () => Queue]>([
  ['BullMQ', overRedis],
  ['memory', () => new MemoryQueue({ clock: systemClock, onError })],
])('a queue over %s', (driver, open) => {
  let queue: Queue
  const name = (test: string) => `${driver}-${test}`

  beforeAll(() => {
    queue = open()
  })
  afterAll(() => queue.close())

  it('hands each message to one worker, as it was sent', async () => {
    const taken: Message[] = []
    const subscriptions = [1, 2].map(() =>
      queue.work(name('each'), async (message) => void taken.push(message), { concurrency: 4 }),
    )
    const sent = Array.from({ length: 100 }, (_, number) => ({ number, text: 'ü', nested: { list: [1, null] } }))
    await until('the queue can be reached', async () => (await queue.depth(name('each'))) === 0)
    await queue.castAll(name('each'), sent)
    await until('all were taken', () => taken.length >= sent.length)
    expect(taken.toSorted((a, b) => Number(a.number) - Number(b.number))).toEqual(sent)
    await Promise.all(subscriptions.map((subscription) => subscription.close()))
  })

  it('drops a message whose handler throws, tells of it, and goes on', async () => {
    const taken: unknown[] = []
    const before = errors.length
    const subscription = queue.work(
      name('throws'),
      async ({ number }) => {
        taken.push(number)
        if (number === 1) throw new Error('on purpose')
      },
      { concurrency: 1 },
    )
    await queue.castAll(name('throws'), [{ number: 1 }, { number: 2 }])
    await until('both were taken', () => taken.length === 2)
    expect(taken).toEqual([1, 2])
    await until('the error was told', () => errors.slice(before).some((error) => error.message === 'on purpose'))
    await subscription.close()
    expect(await queue.depth(name('throws'))).toBe(0)
  })

  it('keeps what nobody takes, and says how much it is', async () => {
    await queue.castAll(name('depth'), [{ a: 1 }, { a: 2 }, { a: 3 }])
    expect(await queue.depth(name('depth'))).toBe(3)
  })

  it('says how long the oldest message has been waiting', async () => {
    expect(await queue.backlog(name('backlog'))).toEqual({ waiting: 0, oldestMs: 0 })
    await queue.cast(name('backlog'), { a: 1 })
    const sentMs = systemClock.now().getTime()
    await until('some time to pass', () => systemClock.now().getTime() - sentMs > 50)
    await queue.cast(name('backlog'), { a: 2 })
    const { waiting, oldestMs } = await queue.backlog(name('backlog'))
    expect([waiting, oldestMs >= 50]).toEqual([2, true])
  })

  it('handles no more at a time than it was told, and closing waits for them', async () => {
    let now = 0
    let most = 0
    let done = 0
    const areThree = Promise.withResolvers<void>()
    const subscription = queue.work(
      name('concurrency'),
      async () => {
        most = Math.max(most, ++now)
        if (now === 3) areThree.resolve()
        await areThree.promise
        await systemClock.sleep(5)
        now--
        done++
      },
      { concurrency: 3 },
    )
    await queue.castAll(
      name('concurrency'),
      Array.from({ length: 20 }, () => ({})),
    )
    await until('some are done', () => done > 10)
    await subscription.close()
    expect(now).toBe(0)
    expect(most).toBe(3)
  })

  it('leaves what arrives while a worker leaves to those that stay, and nothing waits for it', async () => {
    const taken = new Set<unknown>()
    const work = () => queue.work(name('leaving'), async ({ number }) => void taken.add(number), { concurrency: 4 })
    const working = Array.from({ length: 4 }, work)
    for (let number = 0; number < 100; number++) {
      // The first has waited for longest, so the message is for it.
      const leaves = working.shift()!
      const closed = number % 2 === 0 ? leaves.close() : undefined
      await queue.cast(name('leaving'), { number })
      await Promise.all([closed ?? leaves.close(), until(`message ${number} is taken`, () => taken.has(number))])
      working.push(work())
    }
    await Promise.all(working.map((each) => each.close()))
    expect(taken.size).toBe(100)
  }, 120_000)
})

describe('BullMQ', () => {
  it('refuses to cast at once while Redis is away, and works on when it is back', async () => {
    const queue = overRedis()
    const taken: Message[] = []
    queue.work('outage', async (message) => void taken.push(message), { concurrency: 1 })
    await until('the queue can be reached', () => queue.depth('outage').then(() => true))
    await redis.kill()
    await expect(queue.cast('outage', { lost: true })).rejects.toMatchObject({ kind: 'Unavailable' })
    await redis.start()
    await until('a message gets through', async () => {
      await queue.cast('outage', { lost: false }).catch(() => undefined)
      return taken.length > 0
    })
    expect(taken[0]).toEqual({ lost: false })
    await queue.close()
  })

  it('waits for no Redis that keeps silent, be it to cast or to close, and works on when it speaks again', async () => {
    const queue = overRedis()
    const taken: Message[] = []
    const letGo = Promise.withResolvers<void>()
    const take = async (message: Message) => {
      taken.push(message)
      await letGo.promise
    }
    queue.work('silence', take, { concurrency: 1 })
    const closing = overRedis()
    closing.work('silence', take, { concurrency: 1 })
    await queue.castAll('silence', [{ number: 1 }, { number: 2 }])
    await until('both are at work', () => taken.length === 2)
    process.kill(redis.pid!, 'SIGSTOP')
    try {
      for (const ask of [queue.cast('silence', {}), queue.depth('silence'), queue.ask(computeQueue(hostId), question, 100)])
        await expect(ask).rejects.toMatchObject({ kind: 'Unavailable' })
      letGo.resolve()
      await closing.close()
    } finally {
      process.kill(redis.pid!, 'SIGCONT')
    }
    const count = taken.length
    await until('a message gets through', async () => {
      await queue.cast('silence', { number: 3 }).catch(() => undefined)
      return taken.length > count
    })
    await queue.close()
  })

  it('refuses to cast where Redis was away from the start, and works once it is there', async () => {
    await redis.kill()
    const queue = overRedis()
    await expect(queue.cast('late', {})).rejects.toMatchObject({ kind: 'Unavailable' })
    await expect(queue.depth('late')).rejects.toMatchObject({ kind: 'Unavailable' })
    await redis.start()
    await until('a message gets through', () =>
      queue.cast('late', {}).then(
        () => true,
        () => false,
      ),
    )
    await queue.close()
  })

  it('casts to a queue to which Redis said no when it was first used', async () => {
    const rules = '~nubo:* &* +@all'
    const redisThatRefuses = await startRedis({ users: [{ name: 'late', password: 'secret', rules: `${rules} -info` }] })
    const administrator = new Redis(redisThatRefuses.address)
    const address = { ...redisThatRefuses.address, username: 'late', password: 'secret' }
    const queue = new BullMqQueue({ redis: address, seal: noSeal, clock: systemClock, random: systemRandom, onError })
    try {
      await expect(queue.cast('greeted', {})).rejects.toMatchObject({ kind: 'Unavailable' })
      await administrator.acl('SETUSER', 'late', '+info')
      await queue.cast('greeted', {})
      expect(await queue.depth('greeted')).toBe(1)
    } finally {
      await queue.close()
      administrator.disconnect()
      await redisThatRefuses.stop()
    }
  })
})
