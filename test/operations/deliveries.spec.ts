import { describe } from '@jest/globals'
import { deliveries, deliveriesOf } from './harness/deliveries.js'
import { undone } from './harness/failures.js'
import { silences } from './harness/silences.js'
import { throughTrials } from './harness/harness.js'

describe('an operation is done once however its messages come, and is given up or gives way where none comes', () => {
  throughTrials((subject, { outcome }) => [...deliveries(outcome), ...silences(subject)])
})

describe('an operation is undone once however its messages come', () => {
  throughTrials((subject, { outcome }) => deliveriesOf(undone(subject, outcome)))
})
