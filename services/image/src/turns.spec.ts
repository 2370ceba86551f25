import { expect, it } from '@jest/globals'
import { Turns } from './turns.js'

it('never runs more works at once than it may, and runs them all, whether they fail or not', async () => {
  const turns = new Turns(2)
  let running = 0
  let most = 0
  const finishers: (() => void)[] = []
  const works = Array.from({ length: 7 }, (_, index) =>
    turns.take(async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => finishers.push(resolve))
      running--
      if (index % 2) throw new Error('failed')
      return index
    }),
  )
  const outcomes = Promise.allSettled(works)
  for (let done = 0; done < 7; done++) {
    while (finishers.length === 0) await Promise.resolve()
    finishers.shift()!()
  }
  expect((await outcomes).map((outcome) => outcome.status === 'fulfilled')).toEqual([true, false, true, false, true, false, true])
  expect(most).toBe(2)
})
