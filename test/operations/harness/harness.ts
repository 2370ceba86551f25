import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { inMemory, type OpenCarrier } from './carriers.js'
import { subjects, type Subject } from './subjects.js'
import { carryOut, undisturbed, type Trial, type Undisturbed } from './trial.js'
import { World } from './world.js'

export interface Surroundings {
  /** Not all of them. */
  chosen?: readonly Subject[]
  /** What carries the messages, ready when it resolves. */
  openCarrier?: () => Promise<OpenCarrier>
}

/**
 * Puts every registered operation, with every server on which it may begin, through trials, in a cloud of its own. A new
 * operation is in it without a line here.
 */
export function throughTrials(
  trialsOf: (subject: Subject, run: Undisturbed, world: World) => readonly Trial[] | Promise<readonly Trial[]>,
  { chosen = subjects, openCarrier = async () => inMemory }: Surroundings = {},
): void {
  let world: World
  let carrier: OpenCarrier

  beforeAll(async () => {
    carrier = await openCarrier()
    world = await World.start(carrier)
  })

  afterAll(async () => {
    await world[Symbol.asyncDispose]()
  })

  it.each(chosen.map((subject) => ({ ...subject, kind: subject.definition.kind })))(
    '$kind, of a server that is $from',
    async (subject) => {
      const trials = await trialsOf(subject, await undisturbed(world, subject), world)
      expect(trials).not.toHaveLength(0)
      for (const trial of trials) {
        const broken = await carryOut(world, subject, trial).catch((error: Error) => [`${trial.name}: ${error.message}`])
        // What one trial left must not be another's fault.
        if (broken.length > 0) world = await World.insteadOf(world, carrier)
        expect(broken).toEqual([])
      }
    },
  )
}
