import { describe, expect, it } from '@jest/globals'
import type { HostPlan } from '../plan.js'
import { anyEgress, emptyPlan, groupOf, ingress, networkOf, portOf } from '../testing/plans.js'
import { changeOf, rightsOf } from './rights.js'

const [one, two] = [networkOf(1), networkOf(2)]
const clients = (...members: string[]) => groupOf(1, anyEgress, { members })
const web = groupOf(2, [ingress({ protocol: 6, portMin: 80, portMax: 80, remoteGroup: clients().groupId })])
const a = portOf(one, 11, { groups: [web.groupId] })
const b = portOf(two, 12, { groups: [clients().groupId] })

const plan = (more: Partial<HostPlan> = {}): HostPlan => ({
  ...{ ...emptyPlan, networks: [one, two], ports: [a, b], groups: [clients('10.0.0.1'), web] },
  ...more,
})

function change(before: Partial<HostPlan>, after: Partial<HostPlan>) {
  const { less, more } = changeOf(rightsOf(plan(before)), rightsOf(plan(after)))
  return { less: [...less], more: [...more] }
}

describe('what a plan takes and gives', () => {
  const [left, right] = [one.networkId, two.networkId]

  it.each<[string, Partial<HostPlan>, Partial<HostPlan>, { less: string[]; more: string[] }]>([
    ['nothing', {}, {}, { less: [], more: [] }],
    ['a member that is gone', {}, { groups: [clients(), web] }, { less: [left], more: [] }],
    ['a member that came', {}, { groups: [clients('10.0.0.1', '10.0.0.2'), web] }, { less: [], more: [left] }],
    ['one for another', {}, { groups: [clients('10.0.0.2'), web] }, { less: [left], more: [] }],
    ['a rule that is gone', {}, { groups: [clients('10.0.0.1'), { ...web, rules: [] }] }, { less: [left], more: [] }],
    [
      'a rule that came',
      { groups: [clients(), web] },
      { groups: [clients(), { ...web, rules: [...web.rules, ingress()] }] },
      { less: [], more: [left] },
    ],
    [
      'a group that was left',
      { ports: [{ ...b, groups: [web.groupId, clients().groupId] }] },
      { ports: [b] },
      { less: [right], more: [] },
    ],
    ['a new port', { ports: [a] }, {}, { less: [right], more: [] }],
    ['a port that is guarded from now on', { ports: [{ ...a, portSecurity: false }, b] }, {}, { less: [left], more: [] }],
    ['another address', {}, { ports: [{ ...a, addresses: ['10.0.0.99'] }, b] }, { less: [left], more: [] }],
    ['a port that is gone', {}, { ports: [a] }, { less: [], more: [] }],
  ])('%s', (_, before, after, expected) => {
    expect(change(before, after)).toEqual(expected)
  })
})
