import { describe } from '@jest/globals'
import { hostRefusals, hypervisorSilences, queueFaults } from './harness/faults.js'
import { throughTrials } from './harness/harness.js'

describe('an operation ends as ever without an answer of the queue or the hypervisor, and leaves nothing where a host refuses', () => {
  throughTrials((_, { calls, outcome }) => [
    ...queueFaults(calls, outcome),
    ...hypervisorSilences(calls, outcome),
    ...hostRefusals(calls),
  ])
})
