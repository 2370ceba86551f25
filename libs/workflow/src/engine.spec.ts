import { describe, expect, it } from '@jest/globals'
import type { Failure } from '@nubo/contract'
import { newId, seededRandom, type HostId, type ProjectId, type RequestId, type ServerId, type UserId } from '@nubo/kernel'
import * as fc from 'fast-check'
import { operation, type OperationDefinition, type StepDefinition } from './definition.js'
import { OperationEngine } from './engine.js'
import type { ServerRecord } from './records.js'
import { ModelStore } from './testing/model-store.js'

// Random operations, and random histories of each: whatever the steps come to, the rules of operations hold.

const kind = 'server.any'
const hostId = 'host-1' as HostId
const requester = { projectId: 'p' as ProjectId, userId: 'u' as UserId, requestId: 'r' as RequestId }

interface StepShape {
  undo: 'by the host' | 'in records' | 'none'
  persistent: boolean
}

interface Shape {
  placed: boolean
  steps: StepShape[]
  maxAttempts: number
  goesOnOverdue: boolean
}

/** What befalls the step at hand. */
type Event = 'done' | Failure['scope'] | 'overdue' | 'cancelled'

const stepShape: fc.Arbitrary<StepShape> = fc.record({
  undo: fc.constantFrom('by the host', 'in records', 'none'),
  persistent: fc.boolean(),
})
const shape: fc.Arbitrary<Shape> = fc.record({
  placed: fc.boolean(),
  steps: fc.array(stepShape, { minLength: 1, maxLength: 4 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  goesOnOverdue: fc.boolean(),
})
const events = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Event>('done') },
    { weight: 3, arbitrary: fc.constantFrom<Event>('host', 'request', 'superseded') },
    { weight: 1, arbitrary: fc.constantFrom<Event>('overdue', 'cancelled') },
  ),
  { maxLength: 30 },
)

/** One operation on one server, and a log of what was done and undone. */
class History {
  readonly log: string[] = []
  readonly store: ModelStore
  readonly definition: OperationDefinition
  private readonly engine: OperationEngine

  constructor({ placed, steps, maxAttempts, goesOnOverdue }: Shape) {
    this.store = new ModelStore(serverOn(placed ? null : hostId))
    const onHost = steps.map((step, index): [string, StepDefinition] => [`step ${index}`, this.stepOf(`step ${index}`, step)])
    const undo = { done: async () => (this.log.push('undo place'), await this.store.releaseRoom()) }
    const place: StepDefinition = { by: 'scheduler', taskState: 'placing', event: 'place', undo, done: this.noting('do place') }
    this.definition = operation(kind, {
      ...{ action: 'any', wanted: 'running', deadlineMs: 1, maxAttempts },
      steps: Object.fromEntries(placed ? [['place', place], ...onHost] : onHost),
      failed: this.noting('failed'),
      ...(goesOnOverdue && { overdue: this.noting('overdue') }),
    })
    this.engine = new OperationEngine([this.definition], seededRandom(1))
  }

  async begin(): Promise<void> {
    await this.engine.begin(this.store, kind, this.store.server, requester)
  }

  /** What happens to the open step, if there is one. */
  async happens(event: Event): Promise<void> {
    const { store, engine } = this
    const [open] = store.open
    if (!open) return
    const located = (await store.lockStep(open.id))!
    if (event === 'overdue') return await engine.overdue(store, located)
    if (event === 'cancelled') return await engine.cancel(store, located, 'cancelled')
    if (event !== 'done') return void (await engine.failed(store, located, { scope: event, message: 'it failed' }))
    if (open.name === 'place') store.claim(hostId)
    await engine.done(store, { ...located, server: { ...store.server } }, {})
  }

  private stepOf(name: string, { undo, persistent }: StepShape): StepDefinition {
    const common = { by: 'build', taskState: name, event: name, persistent, done: this.noting(`do ${name}`) } as const
    const done = this.noting(`undo ${name}`)
    if (undo === 'none') return { ...common, noUndo: 'nothing to take back' }
    return { ...common, undo: undo === 'by the host' ? { by: 'destroy', done } : { done } }
  }

  private noting(words: string) {
    return async () => void this.log.push(words)
  }
}

function serverOn(host: HostId | null): ServerRecord {
  return {
    id: newId<ServerId>(seededRandom(2)),
    ...{ projectId: requester.projectId, userId: requester.userId, name: 'n', hostname: 'n' },
    ...{ vcpus: 1, memoryMiB: 1, diskGiB: 1, wanted: 'stopped', vmState: 'stopped', taskState: null, powerState: 4 },
    ...{ hostId: host, incarnation: host ? 1 : 0, fence: 0 },
  } as ServerRecord
}

async function holdsThroughout(history: History, happening: readonly Event[], check: (event: Event) => void): Promise<void> {
  await history.begin()
  for (const event of happening) {
    await history.happens(event)
    check(event)
  }
}

describe('an operation, whatever its steps come to', () => {
  it('has one open step while it is live, and none when it has ended', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        await holdsThroughout(history, happening, () => expect(history.store.open).toHaveLength(history.store.live ? 1 : 0))
      }),
    )
  })

  it('gives every command a fence higher than all before it', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        await holdsThroughout(history, happening, () => {
          const fences = history.store.steps.filter((step) => step.hostId).map((step) => step.fence)
          expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b))
        })
      }),
    )
  })

  it('ends, once every step is done that is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        await history.begin()
        for (const event of happening) await history.happens(event)
        const most = 2 * Object.keys(history.definition.steps).length * (shape.maxAttempts + 1)
        for (let step = 0; step < most; step++) await history.happens('done')
        expect(history.store.live).toBeUndefined()
      }),
    )
  })

  it('takes back in reverse what it began, all of it, before it fails or is tried elsewhere', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        const given = happening.filter((event) => event !== 'overdue' && event !== 'cancelled')
        await history.begin()
        for (const event of given) await history.happens(event)
        const names = Object.entries(history.definition.steps)
          .filter(([, step]) => step.undo)
          .map(([name]) => name)
        expect(unfinished(history.log, names)).toEqual([])
      }),
    )
  })

  it('tries no more hosts than it may', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        await holdsThroughout(history, happening, () => {
          const tried = history.store.steps.filter((step) => step.name === 'place' && step.direction === 'do')
          expect(tried.length).toBeLessThanOrEqual(shape.maxAttempts)
        })
      }),
    )
  })

  it('at its deadline makes the server ERROR and undoes nothing, or goes on', async () => {
    await fc.assert(
      fc.asyncProperty(shape, events, async (shape, happening) => {
        const history = new History(shape)
        await history.begin()
        for (const event of happening) await history.happens(event)
        fc.pre(history.store.live !== undefined)
        const undone = history.log.filter((entry) => entry.startsWith('undo')).length
        await history.happens('overdue')
        expect(history.log.filter((entry) => entry.startsWith('undo'))).toHaveLength(undone)
        if (shape.goesOnOverdue) expect(history.store.live).toMatchObject({ hasDeadline: false })
        else expect(history.store).toMatchObject({ live: undefined, server: { vmState: 'error', taskState: null } })
      }),
    )
  })
})

/** What was undone out of turn, or was done and not undone when it should have been. */
function unfinished(log: readonly string[], undoable: readonly string[]): string[] {
  const wrong: string[] = []
  let standing: string[] = []
  for (const entry of log) {
    const [verb, ...rest] = entry.split(' ')
    const name = rest.join(' ')
    if (verb === 'do' && undoable.includes(name)) standing.push(name)
    if (verb === 'failed' && standing.length > 0) wrong.push(`failed with ${standing.join(', ')} standing`)
    if (verb !== 'undo') continue
    // The step that failed was not done, and is undone all the same.
    const last = standing.at(-1)
    if (last === name) standing = standing.slice(0, -1)
    else if (standing.includes(name)) wrong.push(`${name} was undone before ${last}`)
  }
  return wrong
}
