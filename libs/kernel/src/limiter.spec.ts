import { expect, it } from '@jest/globals'
import { Limiter } from './limiter.js'

it('runs so many at once and no more, all of them, in their order', async () => {
  const limiter = new Limiter(3)
  const begun: number[] = []
  let [running, most] = [0, 0]
  const work = (index: number) => async () => {
    begun.push(index)
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    if (index % 4 === 0) throw new Error('failed')
  }
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => limiter.run(work(index))))
  expect(most).toBe(3)
  expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect(results.filter((result) => result.status === 'rejected')).toHaveLength(5)
})

it('lets those who ask take turns: who has little to do does not wait for all of who has much', async () => {
  const limiter = new Limiter(1)
  const done: string[] = []
  const ask = (asker: string, name: string) => limiter.run(async () => void done.push(name), asker)
  await Promise.all([
    ...['a1', 'a2', 'a3', 'a4'].map((name) => ask('a', name)),
    ...['b1', 'b2'].map((name) => ask('b', name)),
    ask('c', 'c1'),
  ])
  expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4'])
})
