import { placementQueue, reportsQueue, serverCommand, type Failure, type Result, type ServerCommand } from '@nubo/contract'
import type { HostId, StepId } from '@nubo/kernel'
import type { Direction } from '@nubo/workflow'
import type { Letter } from './post.js'
import type { World } from './world.js'

/** What is on the way about one step: to whoever does it, or back. */
export interface StepLetter extends Letter {
  stepId: StepId
  name: string
  direction: Direction
  is: 'hint' | 'command' | 'result'
}

/** Undefined for a letter that is about no step. */
export async function aboutStep(world: World, letter: Letter): Promise<StepLetter | undefined> {
  const { stepId, kind } = letter.message
  if (typeof stepId !== 'string') return undefined
  const [step] = await world.database.query<Pick<StepLetter, 'name' | 'direction'>>(
    'SELECT name, direction FROM operation_steps WHERE id = $1',
    [stepId],
  )
  if (!step) return undefined
  const is = kind === 'result' ? 'result' : letter.queue === placementQueue ? 'hint' : 'command'
  return { ...letter, ...step, stepId: stepId as StepId, is }
}

/** The host's answer to a command that it did nothing about. */
export function refusalOf({ queue, message }: Letter, failure: Failure): Letter {
  const command: ServerCommand = serverCommand.parse(message)
  const { stepId, operationId, serverId, incarnation, fence, sessionId } = command
  const hostId = queue.replace('compute-', '') as HostId
  const outcome: Result['outcome'] = { state: 'failed', powerState: 0, failure }
  const identity = { hostId, sessionId, sequence: 1, stepId, operationId, serverId, incarnation, fence }
  return { queue: reportsQueue, message: { kind: 'result', ...identity, outcome } }
}

/** A result that says of what was done that it failed. */
export function denied(letter: Letter, failure: Failure): Letter {
  const { outcome, ...identity } = letter.message as unknown as Result
  return { queue: letter.queue, message: { ...identity, outcome: { state: 'failed', powerState: outcome.powerState, failure } } }
}
