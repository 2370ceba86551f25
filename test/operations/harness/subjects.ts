import { operations, firstStepOf, type OperationDefinition } from '@nubo/workflow'
import type { ServerId } from '@nubo/kernel'
import type { World } from './world.js'

/**
 * What an operation begins with: 'new' is a server that it makes itself, 'adrift' one that its record puts nowhere while it
 * lies, and holds room, on the host that it was sent to.
 */
export type From = 'new' | 'active' | 'stopped' | 'adrift'

/** An operation, and the server that it begins with. */
export interface Subject {
  definition: OperationDefinition
  from: From
  /** Failed or given up, it leaves what it should have removed to the reconciler, which finds it when the host comes. */
  leavesToReconciler?: boolean
}

const usual: readonly From[] = ['active', 'stopped']
/** Operations that are not for a server which is at rest on its host. */
const unusual: Record<string, Omit<Subject, 'definition'>> = {
  'server.clear': { from: 'adrift', leavesToReconciler: true },
}

/** Every registered operation, with every server on which it may begin. */
export const subjects: readonly Subject[] = operations.flatMap((definition): Subject[] => {
  const { kind } = definition
  if (unusual[kind]) return [{ definition, ...unusual[kind] }]
  const makesIt = definition.steps[firstStepOf(definition)]!.by === 'scheduler'
  return (makesIt ? (['new'] as const) : usual).map((from) => ({ definition, from }))
})

/** Makes the server that an operation begins with; undefined where the operation makes it. */
export async function prepare(world: World, from: From): Promise<ServerId | undefined> {
  if (from === 'new') return undefined
  const id = await world.create()
  await world.ended(id)
  if (from === 'stopped') {
    await world.begin('server.stop', id)
    await world.ended(id)
  }
  if (from === 'adrift') {
    await world.database.execute(
      `UPDATE servers SET host_id = NULL, power_state = 0, vm_state = 'error', task_state = NULL WHERE id = $1`,
      [id],
    )
  }
  return id
}
