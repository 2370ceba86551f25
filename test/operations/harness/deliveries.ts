import type { ServerId } from '@nubo/kernel'
import { everythingOf, type Outcome } from './state.js'
import type { Trial } from './trial.js'
import type { World } from './world.js'

/** Long enough for whatever an old message might set off. */
const aftermathMs = 6_000

/** Every message twice, lost at first, and all of them once more when everything is over: in order, backwards, to new agents. */
export function deliveries(comesTo: Outcome): Trial[] {
  return [
    {
      name: 'every message comes twice',
      setUp: (world) => (world.post.handle = (letter) => [letter, letter]),
      comesTo,
    },
    { name: 'every message is lost at first', setUp: loseFirst, comesTo },
    { name: 'every message comes again in the end', rested: (world, id) => again(world, id, (letters) => letters), comesTo },
    {
      name: 'every message comes again in the end, backwards',
      rested: (world, id) => again(world, id, (letters) => letters.toReversed()),
      comesTo,
    },
    {
      name: 'every message comes again in the end, to agents of another session',
      rested: async (world, id) => {
        for (const name of world.agentNames) world.kill(name)
        await world.registered()
        return await again(world, id, (letters) => letters)
      },
      comesTo,
    },
  ]
}

/** A trial that goes wrong by itself, and whose messages come twice besides: what is undone is undone twice. */
export function deliveriesOf(trial: Trial): Trial[] {
  return [
    { ...trial, name: `${trial.name}, and every message comes twice`, setUp: (world) => twice(world, trial) },
    {
      ...trial,
      name: `${trial.name}, and every message comes again in the end, backwards`,
      rested: async (world, id) => [
        ...((await trial.rested?.(world, id)) ?? []),
        ...(await again(world, id, (letters) => letters.toReversed())),
      ],
    },
  ]
}

function twice(world: World, trial: Trial): void {
  trial.setUp?.(world)
  const { handle } = world.post
  world.post.handle = async (letter) => (await handle(letter)).flatMap((each) => [each, each])
}

function loseFirst(world: World): void {
  const seen = new Set<string>()
  world.post.handle = (letter) => {
    const { kind, stepId, sequence } = letter.message
    const name = JSON.stringify([letter.queue, kind, stepId ?? sequence])
    if (seen.has(name)) return [letter]
    seen.add(name)
    return []
  }
}

/** What is over stays as it is, whatever of it comes once more. */
async function again(world: World, id: ServerId, order: <T>(letters: readonly T[]) => readonly T[]): Promise<string[]> {
  const before = await everythingOf(world, id)
  const about = world.post.history.filter(({ message }) => message.serverId === id || 'stepId' in message)
  for (const letter of order(about)) await world.post.deliver([letter])
  await world.pass(aftermathMs)
  const after = await everythingOf(world, id)
  return JSON.stringify(after) === JSON.stringify(before)
    ? []
    : [`what was over changed from ${JSON.stringify(before)} to ${JSON.stringify(after)}`]
}
