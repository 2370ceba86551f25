import { expect, it } from '@jest/globals'
import type { ServerId } from '@nubo/kernel'
import { Executor } from './executor.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('does one thing at a time for a server, in order, and goes on after failures', async () => {
  const executor = new Executor()
  const log: string[] = []
  const work = (server: string, name: string) =>
    executor.run(server as ServerId, async () => {
      log.push(`${server}${name}+`)
      await turn()
      log.push(`${server}${name}-`)
      if (name === '1') throw new Error('failed')
      return name
    })
  const all = [work('a', '1'), work('a', '2'), work('b', '1'), work('a', '3')]
  const outcomes = await Promise.allSettled(all)
  expect(log.filter((each) => each.startsWith('a'))).toEqual(['a1+', 'a1-', 'a2+', 'a2-', 'a3+', 'a3-'])
  expect(log.indexOf('b1+')).toBeLessThan(log.indexOf('a2+'))
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
})

it('is idle when all that was begun, and all that this began, is done', async () => {
  const executor = new Executor()
  let done = 0
  const work = async () => {
    await turn()
    done++
  }
  void executor.run('a' as ServerId, async () => {
    await work()
    void executor.run('b' as ServerId, work)
  })
  await executor.idle()
  expect(done).toBe(2)
})
