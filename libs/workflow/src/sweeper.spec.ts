import { expect, it } from '@jest/globals'
import { CloudError, seededRandom, systemClock, type StepId } from '@nubo/kernel'
import { MemoryQueue } from '@nubo/queue'
import type { Caster } from './caster.js'
import type { DueStep, OperationStore } from './store.js'
import { Sweeper } from './sweeper.js'

/** A sweeper over steps that are due, and what it did with them. */
function sweeping(due: DueStep[], queue: MemoryQueue) {
  const cast: StepId[] = []
  const givenBack: StepId[] = []
  const store = {
    takeDueSteps: async (limit: number) => due.splice(0, limit),
    giveBackSteps: async (ids: readonly StepId[]) => void givenBack.push(...ids),
  } as unknown as OperationStore
  const caster = { cast: async (ids: readonly StepId[]) => void cast.push(...ids) } as unknown as Caster
  const common = { clock: systemClock, random: seededRandom(1), intervalMs: { busy: 1, idle: 1 }, onError: () => undefined }
  return { sweeper: new Sweeper({ store, queue, caster, ...common }), cast, givenBack }
}

const stepsTo = (queue: string, count: number): DueStep[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${queue} ${index}` as StepId, queue }))

const memoryQueue = () => new MemoryQueue({ clock: systemClock, onError: () => undefined })

it('casts again whatever is due where nothing waits, over several batches', async () => {
  const { sweeper, cast } = sweeping([...stepsTo('a', 150), ...stepsTo('b', 150)], memoryQueue())
  expect(await sweeper.sweep()).toBe(300)
  expect(new Set(cast).size).toBe(300)
})

it('repeats nothing into a queue that is slow, and goes on with the others', async () => {
  const queue = memoryQueue()
  await queue.castAll(
    'slow',
    Array.from({ length: 1_000 }, (_, index) => ({ index })),
  )
  const { sweeper, cast, givenBack } = sweeping([...stepsTo('slow', 100), ...stepsTo('quick', 50)], queue)
  expect(await sweeper.sweep()).toBe(50)
  expect(cast.every((id) => id.startsWith('quick'))).toBe(true)
  expect(givenBack).toEqual([])
})

it('never makes a queue deeper than it takes for slow', async () => {
  const { sweeper, cast } = sweeping(stepsTo('a', 5_000), memoryQueue())
  await sweeper.sweep()
  expect(cast.length).toBeLessThanOrEqual(200)
})

it('gives everything back while the queue is away, for when it has come', async () => {
  const queue = memoryQueue()
  queue.depth = async () => {
    throw new CloudError('Unavailable', 'The queue is away.')
  }
  const { sweeper, cast, givenBack } = sweeping(stepsTo('a', 30), queue)
  await expect(sweeper.sweep()).rejects.toMatchObject({ kind: 'Unavailable' })
  expect(cast).toEqual([])
  expect(givenBack).toHaveLength(30)
})
