import { describe } from '@jest/globals'
import { kills } from './harness/kills.js'
import { throughTrials } from './harness/harness.js'

describe('an operation ends as ever wherever a process is killed', () => {
  throughTrials((_, { calls, outcome }) => kills(calls, outcome))
})
