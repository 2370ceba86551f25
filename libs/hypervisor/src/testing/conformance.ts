import { describe, jest } from '@jest/globals'
import { describeEnds } from './conformance/ends.js'
import { describeInterfaces } from './conformance/interfaces.js'
import { describeLooks } from './conformance/looks.js'
import { describePower } from './conformance/power.js'
import { Subject, type HypervisorUnderTest } from './conformance/subject.js'

export type { HypervisorUnderTest } from './conformance/subject.js'

/** What every driver must do, and what callers may rely on. `waitMs`: the longest that anything takes. */
export function describeHypervisor(name: string, open: () => Promise<HypervisorUnderTest>, { waitMs = 20_000 } = {}): void {
  jest.setTimeout(3 * waitMs)

  describe(`${name}, as a hypervisor`, () => {
    const subject = new Subject(open, waitMs)
    subject.attend()
    describePower(subject)
    describeEnds(subject)
    describeInterfaces(subject)
    describeLooks(subject)
  })
}
