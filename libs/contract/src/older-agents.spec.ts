import { expect, it } from '@jest/globals'
import { report } from './reports.js'

// What agents said before a field was added, to the letter: a control plane that is newer than its hosts reads it.

const hostId = '0197a0a0-0000-7000-8000-000000000001'
const sessionId = '0197a0a0-0000-7000-8000-000000000002'

it('a plan of the networks that is carried, from before it was numbered, and told which networks are in trouble', () => {
  const told = { kind: 'network-plan-applied', hostId, sessionId, revision: 7, trouble: 'no device' }
  expect(report.parse(told)).toEqual({ ...told, sequence: null, troubled: [], warning: null })
})
