import { describe } from '@jest/globals'
import { deliveries } from './harness/deliveries.js'
import { silences } from './harness/silences.js'
import { throughTrials } from './harness/harness.js'

describe('an operation is done once however its messages come, and is given up or gives way where none comes', () => {
  throughTrials((subject, { outcome }) => [...deliveries(outcome), ...silences(subject)])
})
