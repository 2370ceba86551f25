import { expect, it } from '@jest/globals'
import { plannedRule } from '@nubo/contract'
import { parsePrefix } from '@nubo/domain'
import fc from 'fast-check'
import { asPrefix } from './plan-ports.js'

const someLength = fc.nat({ max: 140 }).chain((length) => fc.constantFrom(`/${length}`, `/0${length}`, `/00${length}`, ''))
const someText = fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), someLength).map((parts) => parts.join(''))

// A unit that breaks the contract is carried by no host, and what a host cannot read leaves its networks in doubt.
it('tells hosts no prefix that their contract does not take, however a tenant wrote it', () => {
  const isTaken = (text: string) => plannedRule.shape.remotePrefix.safeParse(asPrefix(text)).success
  fc.assert(fc.property(someText, (text) => expect(isTaken(text)).toBe(parsePrefix(text) !== undefined)))
})
