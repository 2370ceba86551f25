import { expect, it } from '@jest/globals'
import type { PgOperationStore } from '@nubo/database'
import { systemClock, type StepId } from '@nubo/kernel'
import type { OperationEngine } from '@nubo/workflow'
import { Deadlines } from './deadlines.js'

it('ends what is overdue behind an operation that cannot be ended', async () => {
  const broken = new Error('its record is broken')
  const ended: StepId[] = []
  const lockStep = async (id: StepId) => {
    if (id === 'broken') throw broken
    return { step: { id, state: 'open' }, operation: { id: `of ${id}` } }
  }
  const store = {
    watchClock: async () => undefined,
    findOverdue: async () => ['first', 'broken', 'last'].map((stepId) => ({ stepId })),
    transaction: async (work: (tx: unknown) => Promise<void>) => await work({ lockStep, isOverdue: async () => true }),
  } as unknown as PgOperationStore
  const engine = {
    overdue: async (_: unknown, { step }: { step: { id: StepId } }) => void ended.push(step.id),
  } as unknown as OperationEngine
  const deadlines = new Deadlines({ store, engine, clock: systemClock, intervalMs: 1000, onError: () => undefined })
  await expect(deadlines.endOverdue()).rejects.toBe(broken)
  expect(ended).toEqual(['first', 'last'])
})
