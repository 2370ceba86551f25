import { expect, it } from '@jest/globals'
import { CloudError, seededRandom, type Clock } from '@nubo/kernel'
import { ConcurrentChange, repeatWhereUndone } from './repeat.js'

const clock = { sleep: async () => undefined } as unknown as Clock

/** Work that is undone so often, and done then. */
function undone(times: number) {
  let tries = 0
  const work = async () => {
    if (++tries <= times) throw new ConcurrentChange('a row')
    return 'done'
  }
  return { answer: repeatWhereUndone(work, clock, seededRandom(1)), tries: () => tries }
}

it('does again what was undone', async () => {
  const { answer, tries } = undone(4)
  expect(await answer).toBe('done')
  expect(tries()).toBe(5)
})

it('says that it is to be tried again later where that did not help: it is nobody’s defect', async () => {
  const { answer, tries } = undone(5)
  await expect(answer).rejects.toMatchObject({ kind: 'Unavailable', details: { retryAfterSeconds: 1 } })
  expect(tries()).toBe(5)
})

it('leaves what is no such error to the caller, at once', async () => {
  let tries = 0
  const work = async () => {
    tries++
    throw new CloudError('NotFound', 'There is no such thing.')
  }
  await expect(repeatWhereUndone(work, clock, seededRandom(1))).rejects.toMatchObject({ kind: 'NotFound' })
  expect(tries).toBe(1)
})
