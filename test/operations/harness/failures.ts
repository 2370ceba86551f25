import type { Failure } from '@nubo/contract'
import type { StepId } from '@nubo/kernel'
import { firstStepOf, type Direction, type OperationDefinition } from '@nubo/workflow'
import type { Letter } from './post.js'
import { outcomeOf, type Outcome } from './state.js'
import { aboutStep, denied, refusalOf, type StepLetter } from './step-letters.js'
import type { Subject } from './subjects.js'
import type { Trial } from './trial.js'
import type { World } from './world.js'

/** What of an operation is to fail: a step or its undo, before it was begun or when all of it was done. */
interface Failing {
  name: string
  direction: Direction
  when: 'before' | 'after'
  scope: Failure['scope']
  times: number
}

/** Each step failing for each reason, before and after it was done, once and always; and each undo failing once too. */
export function failures({ definition }: Subject, comesTo: Outcome): Trial[] {
  return Object.entries(definition.steps).flatMap(([name, step]) =>
    (['request', 'host', 'superseded'] as const).flatMap((scope) =>
      (['before', 'after'] as const).flatMap((when) => {
        const once: Failing = { name, direction: 'do', when, scope, times: 1 }
        const undoOnce: Failing = { name, direction: 'undo', when, scope: 'host', times: 1 }
        const trials = [trialOf(definition, comesTo, [once])]
        if (!step.persistent) trials.push(trialOf(definition, comesTo, [{ ...once, times: Infinity }]))
        if (step.undo?.by) trials.push(trialOf(definition, comesTo, [once, undoOnce]))
        return trials
      }),
    ),
  )
}

/** Its last step fails when all of it was done, as no other host can mend: it is undone from its end to its beginning. */
export function undone({ definition }: Subject, comesTo: Outcome): Trial {
  const name = Object.keys(definition.steps).at(-1)!
  return trialOf(definition, comesTo, [{ name, direction: 'do', when: 'after', scope: 'request', times: 1 }])
}

function trialOf(definition: OperationDefinition, comesTo: Outcome, failing: readonly Failing[]): Trial {
  const [first] = failing as [Failing]
  const words = failing.map(
    ({ name, direction, when, scope, times }) =>
      `${direction} ${name} fails (${scope}) ${times === 1 ? 'once' : 'always'} ${when} it was done`,
  )
  const trial = { name: words.join(', '), setUp: (world: World) => fail(world, failing) }
  return goesOn(definition, first) ? { ...trial, comesTo } : { ...trial, rested: mustHaveFailed }
}

/** Whether the operation comes to its end in spite of it: on the same host, or on another. */
function goesOn(definition: OperationDefinition, { name, scope, times }: Failing): boolean {
  if (definition.steps[name]!.persistent) return true
  const elsewhere = definition.steps[firstStepOf(definition)]!.by === 'scheduler' && definition.maxAttempts > 1
  return scope === 'host' && elsewhere && times === 1
}

async function mustHaveFailed(world: World, id: Parameters<typeof outcomeOf>[1]): Promise<string[]> {
  const { operation } = await outcomeOf(world, id)
  return operation === 'failed' ? [] : [`its operation is ${operation}, not failed`]
}

function fail(world: World, failing: readonly Failing[]): void {
  const struck = failing.map((): Set<StepId> => new Set())
  world.post.handle = async (letter) => {
    const about = await aboutStep(world, letter)
    if (!about) return [letter]
    const index = failing.findIndex(({ name, direction }) => about.name === name && about.direction === direction)
    if (index < 0 || (struck[index]!.size >= failing[index]!.times && !struck[index]!.has(about.stepId))) return [letter]
    struck[index]!.add(about.stepId)
    return await strike(world, about, failing[index]!)
  }
}

async function strike(world: World, about: StepLetter, { when, scope }: Failing): Promise<Letter[]> {
  const failure = { scope, message: `A test has it fail, as if by ${scope}.` }
  switch (about.is) {
    case 'hint':
      await failHere(world, about.stepId, failure)
      return []
    case 'command':
      return when === 'before' ? [refusalOf(about, failure)] : [about]
    case 'result':
      return [denied(about, failure)]
  }
}

/** As a scheduler that cannot do it. */
async function failHere(world: World, stepId: StepId, failure: Failure): Promise<void> {
  await world.store.transaction(async (tx) => {
    const located = await tx.lockStep(stepId)
    if (located?.step.state === 'open') await world.engine.failed(tx, located, failure)
  })
}
