import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { systemClock } from '@nubo/kernel'
import { faultOf, novaErrors } from '@nubo/wire'
import Fastify, { type FastifyInstance } from 'fastify'
import { createLogger } from '../logger.js'
import { Metrics } from '../metrics/metrics.js'
import { Pressure } from '../pressure.js'
import { RequestBound } from './request-bound.js'

const most = 16
let server: FastifyInstance
let url: string
let waiting: (() => void)[]

beforeEach(async () => {
  const metrics = new Metrics(systemClock, createLogger('test', 'fatal'))
  const bound = new RequestBound(metrics, new Pressure(metrics), most)
  waiting = []
  server = Fastify()
  server.addHook('onRequest', (request, reply, done) => {
    try {
      const place = bound.enter(request, reply)
      const asker = request.headers['x-asker']
      if (typeof asker === 'string') place.takeFor(asker)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  server.setErrorHandler((error, _request, reply) => {
    const { status, headers } = faultOf(error, novaErrors, 'req-1')
    void reply.code(status).headers(headers).send()
  })
  server.get('/slow', async () => await new Promise<string>((resolve) => waiting.push(() => resolve('done'))))
  server.get('/quick', () => 'done')
  server.get('/healthz', { config: { declaration: { public: true, ofHealth: true } } }, () => 'well')
  server.get('/waiting', { config: { declaration: { ofHealth: true } } }, () => waiting.length)
  url = await server.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(async () => {
  for (const end of waiting) end()
  await server.close()
})

const statusOf = async (path: string, asker?: string) =>
  (await fetch(url + path, { headers: asker === undefined ? {} : { 'x-asker': asker } })).status
const inside = async () => Number(await (await fetch(`${url}/waiting`)).text())
const until = async (count: number) => {
  while ((await inside()) !== count) await systemClock.sleep(5)
}
/** Whether this one came to be the `count`th inside, and was not refused. */
const cameIn = async (asked: Promise<number>, count: number) => {
  let ended = false
  void asked.then(() => (ended = true))
  while (!ended && (await inside()) !== count) await systemClock.sleep(5)
  return !ended
}

it('lets a bounded number of requests in at once, and tells the others when to come again', async () => {
  const held = Array.from({ length: most }, () => statusOf('/slow'))
  await until(most)
  const refused = await fetch(`${url}/quick`)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await statusOf('/healthz')).toBe(200)
  for (const end of waiting) end()
  expect(await Promise.all(held)).toEqual(Array.from({ length: most }, () => 200))
  expect(await statusOf('/quick')).toBe(200)
})

it('has room again when clients went away', async () => {
  const leave = new AbortController()
  const left = Array.from({ length: most }, () => fetch(`${url}/slow`, { signal: leave.signal }).catch(() => 'left'))
  await until(most)
  leave.abort()
  expect(await Promise.all(left)).toEqual(Array.from({ length: most }, () => 'left'))
  while ((await statusOf('/quick')) !== 200) await systemClock.sleep(5)
  for (const end of waiting) end()
})

it('leaves room for others, however many are slow and however long they take', async () => {
  const held: Promise<number>[] = []
  // One alone has three quarters; of the quarter that is left then another has three quarters.
  for (const [asker, atOnce] of [
    ['one', 12],
    ['another', 3],
  ] as const) {
    held.push(...Array.from({ length: atOnce }, () => statusOf('/slow', asker)))
    await until(held.length)
  }
  const refused = await fetch(`${url}/quick`, { headers: { 'x-asker': 'one' } })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await statusOf('/quick', 'third')).toBe(200)
  for (const end of waiting) end()
  expect(await Promise.all(held)).toEqual(held.map(() => 200))
  expect(await statusOf('/quick', 'one')).toBe(200)
})

it('lets three of them have as much as each other', async () => {
  const served = { one: 0, another: 0, third: 0 }
  const held: Promise<number>[] = []
  for (let turn = 0; turn < most; turn++)
    for (const asker of ['one', 'another', 'third'] as const) {
      const asked = statusOf('/slow', asker)
      if (!(await cameIn(asked, held.length + 1))) continue
      held.push(asked)
      served[asker]++
    }
  expect(served).toEqual({ one: 5, another: 5, third: 5 })
  expect(await statusOf('/quick', 'fourth')).toBe(200)
  for (const end of waiting) end()
  expect(await Promise.all(held)).toEqual(held.map(() => 200))
})
