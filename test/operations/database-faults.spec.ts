import { describe } from '@jest/globals'
import { databaseFaults } from './harness/faults.js'
import { throughTrials } from './harness/harness.js'

describe('an operation ends as ever whatever the database does to a statement', () => {
  throughTrials((_, { calls, outcome }) => databaseFaults(calls, outcome))
})
