import type { ServerId } from '@nubo/kernel'
import type { Letter } from './post.js'
import { outcomeOf } from './state.js'
import { aboutStep, type StepLetter } from './step-letters.js'
import type { Subject } from './subjects.js'
import type { Trial } from './trial.js'
import type { World } from './world.js'

/** What is withheld of a step: the word to whoever does it, or the answer. */
type Withheld = 'word' | 'answer'

/** Each step without an answer, done or not: at its deadline, and when the server is deleted meanwhile. */
export function silences({ definition, from }: Subject): Trial[] {
  // Given up, a server is in ERROR, unless the operation is beside what the server itself is.
  const restsAt = definition.givenUp && from !== 'adrift' ? from : 'error'
  const atDeadline = definition.overdue === undefined ? restsAt : undefined
  return Object.entries(definition.steps).flatMap(([name, step]) =>
    // A scheduler answers nobody: what it did is in the database.
    (step.by === 'scheduler' ? (['word'] as const) : (['word', 'answer'] as const)).flatMap((withheld) => [
      silentUntil(name, withheld, 'its deadline', pastDeadline, atDeadline),
      silentUntil(name, withheld, 'the server is deleted', (world, id) => world.servers.delete(id), undefined),
    ]),
  )
}

function silentUntil(
  name: string,
  withheld: Withheld,
  what: string,
  happens: (world: World, id: ServerId) => Promise<void>,
  /** The vm_state of a server whose operation is given up; undefined: it is deleted. */
  restsAt: string | undefined,
): Trial {
  let kept: Letter[] = []
  return {
    name: `the ${withheld} of ${name} does not come until ${what}`,
    setUp: (world) => {
      kept = []
      world.post.handle = async (letter) => {
        const about = await aboutStep(world, letter)
        if (!about || about.name !== name || !isWithheld(about, withheld)) return [letter]
        kept.push(letter)
        return []
      }
    },
    begun: async (world, id) => {
      await world.until(`${name} is silent`, () => kept.length > 0)
      await happens(world, id)
      if (restsAt) await world.ended(id)
      world.post.handle = (letter) => [letter]
      await world.post.deliver(kept)
    },
    rested: async (world, id) => {
      const { vmState, operation } = await outcomeOf(world, id)
      if (!restsAt) return vmState === 'deleted' ? [] : [`it is ${vmState}, not deleted`]
      return vmState === restsAt && operation === 'failed' ? [] : [`it is ${vmState} and its operation ${operation}`]
    },
  }
}

function isWithheld({ is }: StepLetter, withheld: Withheld): boolean {
  return withheld === 'answer' ? is === 'result' : is !== 'result'
}

async function pastDeadline(world: World, id: ServerId): Promise<void> {
  await world.database.execute(
    `UPDATE operations SET deadline_at = clock_timestamp() - interval '1 second' WHERE server_id = $1 AND deadline_at IS NOT NULL`,
    [id],
  )
  await world.until('the deadline is judged', async () => {
    const rows = await world.database.query(
      `SELECT FROM operations WHERE server_id = $1 AND deadline_at IS NOT NULL AND state IN ('running', 'unwinding')`,
      [id],
    )
    return rows.length === 0
  })
}
