import { describe } from '@jest/globals'
import { undone } from './harness/failures.js'
import { kills } from './harness/kills.js'
import { throughTrials } from './harness/harness.js'
import { subjects } from './harness/subjects.js'
import { watched } from './harness/trial.js'

describe('an operation ends as ever wherever a process is killed', () => {
  throughTrials((_, run) => kills(run))
})

describe('an operation is undone wherever a process is killed', () => {
  const undoable = subjects.filter(({ definition }) => Object.values(definition.steps).some(({ undo }) => undo))
  throughTrials(
    async (subject, { outcome }, world) => {
      const trial = undone(subject, outcome)
      return kills(await watched(world, subject, trial), trial)
    },
    { chosen: undoable },
  )
})
