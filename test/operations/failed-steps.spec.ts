import { describe } from '@jest/globals'
import { failures } from './harness/failures.js'
import { throughTrials } from './harness/harness.js'

describe('an operation leaves nothing behind when a step fails, done or not, and its undo too', () => {
  throughTrials((subject, { outcome }) => failures(subject, outcome))
})
