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
