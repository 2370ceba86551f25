import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { echo, tcp, udp } from '../testing/frames.js'
import { a, between, ends, far, JudgedBridge } from '../testing/judged-bridge.js'
import { groupOf, ingress } from '../testing/plans.js'
import { groupsById, judge } from './judge.js'

let bridge: JudgedBridge

beforeAll(async () => {
  bridge = await JudgedBridge.open()
})

afterAll(() => bridge?.close())

const apply: JudgedBridge['apply'] = (plan) => bridge.apply(plan)
const passes: JudgedBridge['passes'] = (from, to, frame) => bridge.passes(from, to, frame)

describe('any rules', () => {
  const family = fc.constantFrom('IPv4' as const, 'IPv6' as const)
  const portRange = fc.constantFrom<[number | null, number | null]>([null, null], [80, 80], [80, 443], [0, 79], [443, 65_535])
  const icmpType = fc.constantFrom<[number | null, number | null]>([null, null], [8, null], [8, 0], [128, 0], [3, 1])
  const protocol = fc.oneof(
    fc.record({ protocol: fc.constantFrom(6, 17), range: portRange }),
    fc.record({ protocol: fc.constantFrom(1, 58), range: icmpType }),
    fc.record({ protocol: fc.constantFrom(null, 47), range: fc.constant<[null, null]>([null, null]) }),
  )
  const prefixes = {
    IPv4: ['10.0.0.12/32', '10.0.0.0/29', '10.0.0.8/29', '0.0.0.0/0'],
    IPv6: ['fd00:1::c/128', 'fd00:2::/64', '::/0'],
  }
  const anyRule = fc
    .record({ ethertype: family, how: protocol, prefix: fc.option(fc.nat(2)), isGroup: fc.boolean() })
    .map(({ ethertype, how, prefix, isGroup }) =>
      ingress({
        ...{ ethertype, protocol: how.protocol, portMin: how.range[0], portMax: how.range[1] },
        remotePrefix: prefix === null || isGroup ? null : prefixes[ethertype][prefix]!,
        remoteGroup: isGroup ? groupOf(12, []).groupId : null,
      }),
    )
  const anyPacket = fc.record({ family, protocol: fc.constantFrom(6, 17, 1), port: fc.constantFrom(22, 80, 200, 443, 9_000) })
  let conversations = 10_000

  /** The first packet of a conversation that never was before. */
  function packetOf(of: { family: 'IPv4' | 'IPv6'; protocol: number; port: number }) {
    const number = of.family === 'IPv4' ? 4 : 6
    const [ethernet, addresses] = [between(far, a), ends(far, a, number)]
    const source = conversations++
    const about = { direction: 'ingress', remote: addresses.from } as const
    if (of.protocol === 1) {
      const [type, protocol] = number === 4 ? [8, 1] : [128, 58]
      return { frame: echo(ethernet, addresses, 'request', source), conversation: { ...about, protocol, port: type, code: 0 } }
    }
    const ports = { source, destination: of.port }
    const frame = of.protocol === 6 ? tcp(ethernet, addresses, ports, 'syn') : udp(ethernet, addresses, ports)
    return { frame, conversation: { ...about, protocol: of.protocol, port: of.port } }
  }

  it('let through what they are said to let through, and nothing else', async () => {
    const judged = new Set<boolean>()
    const members = fc.subarray(['10.0.0.12/32', 'fd00:1::/124', '10.9.0.0/16'])
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRule, { maxLength: 4 }),
        members,
        fc.array(anyPacket, { minLength: 1, maxLength: 6 }),
        async (rules, members, packets) => {
          const groups = [groupOf(11, rules), groupOf(12, [], { members })]
          const port = { ...a, groups: [groups[0]!.groupId] }
          await apply({ ports: [port], groups })
          for (const packet of packets) {
            const { frame, conversation } = packetOf(packet)
            const isLetThrough = judge(port, groupsById(groups), conversation).by !== undefined
            judged.add(isLetThrough)
            expect(await passes(far, a, frame)).toBe(isLetThrough)
          }
        },
      ),
      { numRuns: 60 },
    )
    expect(judged).toEqual(new Set([true, false]))
  })
})
