import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { PortPlan, RulePlan } from '../plan.js'
import { tcp } from '../testing/frames.js'
import { a, between, ends, far, JudgedBridge } from '../testing/judged-bridge.js'
import { anyEgress, egress, groupOf, ingress } from '../testing/plans.js'

let bridge: JudgedBridge

beforeAll(async () => {
  bridge = await JudgedBridge.open()
})

afterAll(() => bridge?.close())

const apply: JudgedBridge['apply'] = (plan) => bridge.apply(plan)
const passes: JudgedBridge['passes'] = (from, to, frame) => bridge.passes(from, to, frame)

describe('what is under way', () => {
  const ssh = ingress({ protocol: 6, portMin: 22, portMax: 22 })
  const withRules = (rules: RulePlan[], stateful = true) => {
    const group = groupOf(8, rules, { stateful })
    return apply({ ports: [{ ...a, groups: [group.groupId] }], groups: [group] })
  }
  const step = (
    from: PortPlan,
    to: PortPlan,
    flags: 'syn' | 'synAck' | 'ack',
    [source, destination]: [number, number],
    numbers: [number, number],
  ) => tcp(between(from, to), ends(from, to), { source, destination }, flags, numbers)

  const begin = async (client: number) => {
    expect(await passes(far, a, step(far, a, 'syn', [client, 22], [100, 0]))).toBe(true)
    expect(await passes(a, far, step(a, far, 'synAck', [22, client], [500, 101]))).toBe(true)
    expect(await passes(far, a, step(far, a, 'ack', [client, 22], [101, 501]))).toBe(true)
  }

  it('ends when the rule that let it begin is gone, and goes on when it is back', async () => {
    await withRules([...anyEgress, ssh])
    await begin(5001)
    await withRules(anyEgress)
    expect(await passes(far, a, step(far, a, 'ack', [5001, 22], [101, 501]))).toBe(false)
    // Nor does it begin again from the other end, which may send what it likes.
    expect(await passes(a, far, step(a, far, 'ack', [22, 5001], [501, 101]))).toBe(false)
    expect(await passes(far, a, step(far, a, 'ack', [5001, 22], [101, 501]))).toBe(false)
    await withRules([...anyEgress, ssh])
    expect(await passes(far, a, step(far, a, 'ack', [5001, 22], [101, 501]))).toBe(true)
    expect(await passes(a, far, step(a, far, 'ack', [22, 5001], [501, 101]))).toBe(true)
  })

  it('goes on when another rule is gone', async () => {
    const web = ingress({ protocol: 6, portMin: 80, portMax: 80 })
    await withRules([ssh, web])
    await begin(5002)
    await withRules([ssh])
    expect(await passes(a, far, step(a, far, 'ack', [22, 5002], [501, 101]))).toBe(true)
  })

  it('is judged packet by packet in a stateless group', async () => {
    await withRules([ssh], false)
    expect(await passes(far, a, step(far, a, 'syn', [5003, 22], [100, 0]))).toBe(true)
    expect(await passes(a, far, step(a, far, 'synAck', [22, 5003], [500, 101]))).toBe(false)
    await withRules([ssh, egress({ protocol: 6 })], false)
    expect(await passes(a, far, step(a, far, 'synAck', [22, 5003], [500, 101]))).toBe(true)
  })
})
