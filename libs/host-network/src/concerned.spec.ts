import { expect, it } from '@jest/globals'
import { networksOf } from './concerned.js'
import { membersSet } from './groups/chain-names.js'
import { emptyPlan, groupOf, networkOf, portOf } from './testing/plans.js'
import type { RulePlan } from './plan.js'

const [web, open] = [networkOf(1), networkOf(2)]
const clients = groupOf(8, [])
const fromClients: RulePlan = {
  ...{ direction: 'ingress', ethertype: 'IPv4', protocol: 6, portMin: 80, portMax: 80 },
  ...{ remotePrefix: null, remoteGroup: clients.groupId },
}
const servers = groupOf(7, [fromClients])
const plan = {
  ...emptyPlan,
  networks: [web, open],
  ports: [portOf(web, 5, { groups: [servers.groupId] }), portOf(open, 6)],
  groups: [servers, clients],
}

it('a problem with a group is about the networks of its ports', () => {
  expect(networksOf([`group ${servers.groupId} cannot be read`], plan)).toEqual([web.networkId])
})

// No port of this host is in it, so it named none of the plan, and all networks were in doubt.
it('a problem with a group that others let in is about the networks of those', () => {
  for (const problem of [`group ${clients.groupId} cannot be read`, `set ${membersSet(4, clients.groupId)} is refused`])
    expect(networksOf([problem], plan)).toEqual([web.networkId])
})

it('what names nothing may be about all', () => {
  expect(networksOf(['something else'], plan)).toBeUndefined()
})
