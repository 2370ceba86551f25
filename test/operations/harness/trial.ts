import type { ServerId } from '@nubo/kernel'
import type { Call } from './door.js'
import { outcomeOf, whatIsLeft, whatIsWrongWith, type Outcome } from './state.js'
import { prepare, type Subject } from './subjects.js'
import type { World } from './world.js'

/** What an undisturbed run of an operation comes to, and every call that is made on the way. */
export interface Undisturbed {
  outcome: Outcome
  calls: Call[]
}

/** What a trial does to an operation: it is set up before the operation begins, and may do something when it has begun. */
export interface Trial {
  name: string
  setUp?: (world: World) => void
  begun?: (world: World, id: ServerId) => Promise<void>
  /** What it must come to; without it any end will do that holds what is promised. */
  comesTo?: Outcome
  /** Once it has ended: what must hold besides. */
  rested?: (world: World, id: ServerId) => Promise<string[]>
}

/** An acknowledgement is gathered with others for a moment; one that was lost is asked for again within seconds. */
const acknowledgingMs = 100
const acknowledgedWithinMs = 2_750
const reconciledWithinMs = 20_000

/** Makes a server, does the operation to it under the trial, deletes it, and says what did not hold. */
export async function carryOut(world: World, subject: Subject, trial: Trial): Promise<string[]> {
  const { definition, from } = subject
  const id = await prepared(world, from)
  trial.setUp?.(world)
  try {
    const server = id ?? (await world.create())
    if (id) await world.begin(definition.kind, id)
    await trial.begun?.(world, server)
    await world.ended(server)
    await world.pass(acknowledgingMs)
    letBe(world)
    await world.revive()
    await world.pass(acknowledgedWithinMs)
    const wrong = await judged(world, subject, server, trial)
    await remove(world, server)
    const left = await seenTo(world, subject, () => whatIsLeft(world))
    return [...wrong, ...left].map((words) => `${trial.name}: ${words}`)
  } finally {
    letBe(world)
  }
}

export async function undisturbed(world: World, subject: Subject): Promise<Undisturbed> {
  return await watched(world, subject, { name: 'undisturbed' })
}

/** What a trial comes to, and every call that is made on the way. Throws where it leaves anything wrong. */
export async function watched(world: World, subject: Subject, trial: Trial): Promise<Undisturbed> {
  const calls: Call[] = []
  let outcome: Outcome | undefined
  const wrong = await carryOut(world, subject, {
    ...trial,
    setUp: () => {
      trial.setUp?.(world)
      world.interfere = (call) => void calls.push(call)
    },
    rested: async (_, id) => {
      outcome = await outcomeOf(world, id)
      return (await trial.rested?.(world, id)) ?? []
    },
  })
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return { outcome: outcome!, calls }
}

async function prepared(world: World, from: Subject['from']): Promise<ServerId | undefined> {
  const left = await whatIsLeft(world)
  if (left.length > 0) throw new Error(`an earlier trial left something: ${left.join(', ')}`)
  const id = await prepare(world, from)
  await world.pass(acknowledgingMs)
  return id
}

async function judged(world: World, subject: Subject, id: ServerId, { comesTo, rested }: Trial): Promise<string[]> {
  const outcome = await outcomeOf(world, id)
  const isAsEver = !comesTo || JSON.stringify(outcome) === JSON.stringify(comesTo)
  const end = isAsEver ? [] : [`it came to ${JSON.stringify(outcome)}, not to ${JSON.stringify(comesTo)}`]
  const besides = (await rested?.(world, id)) ?? []
  return [...end, ...besides, ...(await seenTo(world, subject, () => whatIsWrongWith(world, id)))]
}

/** What is wrong, once the reconciler has been there if it is counted on. */
async function seenTo(world: World, subject: Subject, look: () => Promise<string[]>): Promise<string[]> {
  const wrong = await look()
  if (wrong.length === 0 || !subject.leavesToReconciler) return wrong
  for (const name of world.agentNames) world.kill(name)
  await world.registered()
  await world.pass(reconciledWithinMs)
  return await look()
}

/** Deleting frees everything, whatever was before. */
async function remove(world: World, id: ServerId): Promise<void> {
  const { vmState } = await outcomeOf(world, id)
  if (vmState !== 'deleted') await world.servers.delete(id)
  await world.ended(id)
  await world.pass(acknowledgingMs)
}

function letBe(world: World): void {
  world.interfere = () => undefined
  world.post.handle = (letter) => [letter]
}
