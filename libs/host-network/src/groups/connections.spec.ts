import { beforeEach, describe, expect, it } from '@jest/globals'
import type { HostPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { groupOf, ingress, portOf } from '../testing/plans.js'
import { planOf, servedNetwork } from '../testing/served-networks.js'
import { Connections } from './connections.js'
import { revoked } from './marks.js'
import { zonesOf } from './zones.js'

const ssh = ingress({ protocol: 6, portMin: 22, portMax: 22 })
const networks = Array.from({ length: 20 }, (_, index) => servedNetwork(index + 1))
const group = groupOf(1, [ssh])
const ports = networks.map((network, index) =>
  portOf(network, index * 16 + 1, { addresses: ['10.0.0.11'], groups: [group.groupId] }),
)
const plan = { ...planOf(networks, ports), groups: [group] }
const [first] = networks as [(typeof networks)[number]]
const zone = zonesOf(networks).get(first.networkId)!
const line = `-A -t 99 -w ${zone} -s 10.0.0.9 -d 10.0.0.11 -r 10.0.0.11 -q 10.0.0.9 -p tcp --sport 7 --dport 22`

describe('connections that are tracked', () => {
  /** What the kernel tracks, and what it was asked for and told. */
  let lines: string[]
  let marked: string[]
  let commands: string[]
  let told: string[]
  let connections: Connections

  beforeEach(() => {
    ;[lines, marked, commands, told] = [[], [], [], []]
    const run: ProcessRunner['run'] = async (program, args, { input = '' }) => {
      commands.push([program, ...args].join(' '))
      if (program === 'sh') told.push(...input.trim().split('\n'))
      return program === 'conntrack' && args.includes('ipv4') ? (args.includes('-m') ? marked : lines).join('\n') : ''
    }
    connections = new Connections({ run })
  })

  async function follow(next: HostPlan): Promise<string[]> {
    commands = []
    await connections.follow(next)
    return commands
  }

  it('are listed once for all networks, however many there are, and not at all where nothing was taken', async () => {
    expect(await follow(plan)).toHaveLength(4)
    expect(await follow(plan)).toEqual([])
    expect(await follow({ ...plan, groups: [groupOf(1, [ssh, ingress()])] })).toEqual([])
    expect(await follow(plan)).toHaveLength(2)
  })

  it('are listed of a network alone to which a port came, without marks where there are none', async () => {
    await follow(plan)
    const next = { ...plan, ports: [...ports, portOf(first, 2, { addresses: ['10.0.0.12'], groups: [group.groupId] })] }
    expect(await follow(next)).toEqual(['ipv4', 'ipv6'].map((family) => `conntrack -L -f ${family} -w ${zone} -o save`))
  })

  it('are marked when no rule lets them through, and no more once one does', async () => {
    lines = [line]
    await follow(plan)
    await follow({ ...plan, groups: [groupOf(1, [])] })
    expect(told).toEqual([expect.stringMatching(/^-D .*-s 10.0.0.9/), `${line} -m ${revoked}`])
    ;[marked, told] = [[line], []]
    await follow(plan)
    expect(told).toEqual([expect.stringMatching(/^-D .*-s 10.0.0.9/), line])
  })

  it('of a network that nobody asks about are left', async () => {
    lines = [line.replace(`-w ${zone}`, '-w 64999')]
    await follow({ ...plan, groups: [groupOf(1, [])] })
    expect(told).toEqual([])
  })
})
