import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Program } from './engine/program.js'
import type { HostPlan } from './plan.js'
import { programOf } from './program-of.js'
import { sharedWith } from './shared-plan.js'
import { anyPlan } from './testing/any-plan.js'
import { groupOf, ingress, testSettings } from './testing/plans.js'
import { guestPort, neighbourOf, planOf, servedNetwork, subnetOf } from './testing/served-networks.js'

const settings = { ...testSettings, physicalNetworks: { outside: { device: 'eth7' } } }

/** As it comes over a wire: nothing of it is an object that was there before. */
const arrived = (plan: HostPlan) => JSON.parse(JSON.stringify(plan)) as HostPlan

const wordsOf = ({ objects, tables, files, processes, troubles, needs }: Program) => ({
  ...{ objects, files, processes, needs },
  troubles: troubles.toSorted(),
  tables: new Map([...tables].map(([key, { chains, sets }]) => [key, { chains, sets }])),
})

describe('a program that follows another', () => {
  it('says what it would say alone', () => {
    fc.assert(
      fc.property(anyPlan, anyPlan, (first, second) => {
        const before = programOf(first, settings)
        const after = programOf(sharedWith(first, arrived(second)), settings, before)
        expect(wordsOf(after)).toEqual(wordsOf(programOf(second, settings)))
      }),
      { numRuns: 200 },
    )
  })

  const network = servedNetwork(5, { subnets: [subnetOf({ cidr: '10.0.0.0/16' })] })
  const group = groupOf(1, [ingress()])
  const ports = Array.from({ length: 300 }, (_, index) => {
    const number = index + 10
    return guestPort(network, number, {
      ...{ addresses: [`10.0.${number >> 8}.${number & 255}`], portSecurity: true },
      groups: [group.groupId],
    })
  })
  const plan = { ...planOf([network], ports.slice(1)), groups: [group] }

  /** How many pieces of one plan's program are to be made anew for the other's. */
  function madeAnew(next: HostPlan): number {
    const before = programOf(plan, settings)
    const after = programOf(sharedWith(plan, arrived(next)), settings, before)
    return [...after.pieces].filter((piece) => !before.pieces.has(piece)).length
  }

  it('is the same where the plan says the same', () => {
    expect(madeAnew(plan)).toBe(0)
  })

  it('makes of a hundred ports only what the one that came needs', () => {
    // Its tap, its rules, its calls for metadata, its network's DHCP; by lot it may have taken another's identity.
    expect(madeAnew({ ...plan, ports })).toBeLessThanOrEqual(6)
  })

  it('makes of a group whose rules changed that group alone', () => {
    expect(madeAnew({ ...plan, groups: [groupOf(1, [ingress(), ingress({ ethertype: 'IPv6' })])] })).toBe(1)
  })

  it('makes of a port that came elsewhere that neighbour, the first behind a host the ways to and from that host too', () => {
    const [one, two] = [neighbourOf(ports[0]!, '10.99.0.8'), neighbourOf(guestPort(network, 400), '10.99.0.8')]
    const withNeighbours = (...neighbours: (typeof one)[]) => ({ ...plan, networks: [{ ...network, neighbours }] })
    expect(madeAnew(withNeighbours(one))).toBe(3)
    expect(madeAnew(withNeighbours(one, two))).toBe(4)
  })
})
