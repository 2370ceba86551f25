import { expect, it } from '@jest/globals'
import type { HostPlan } from './plan.js'
import type { ProcessRunner } from './process-runner.js'
import { anyEgress, groupOf, ingress } from './testing/plans.js'
import { guestPort, neighbourOf, planOf, servedNetwork, subnetOf } from './testing/served-networks.js'
import { TestHosts } from './testing/test-hosts.js'

const ssh = ingress({ protocol: 6, portMin: 22, portMax: 22 })
const group = groupOf(1, [...anyEgress, ssh])
const subnets = [subnetOf({ cidr: '10.0.0.0/16' })]

/** So many networks, with so many ports each, all of one group. */
function planWith(networkCount: number, portCount: number): HostPlan {
  const networks = Array.from({ length: networkCount }, (_, index) => servedNetwork(index + 1, { subnets }))
  const ports = networks.flatMap((network) =>
    Array.from({ length: portCount }, (_, index) =>
      guestPort(network, index + 10, { portSecurity: true, groups: [group.groupId], addresses: [`10.0.1.${index + 10}`] }),
    ),
  )
  return { ...planOf(networks, ports), groups: [group] }
}

/** How many commands each kind of change takes on a host that carries that. */
async function commandsOn(plan: HostPlan): Promise<Record<string, number>> {
  await using hosts = await TestHosts.begin(1)
  const host = hosts.hosts[0]!
  let commands = 0
  const run: ProcessRunner['run'] = (...command) => {
    commands++
    return host.processes.run(...command)
  }
  const agent = host.open({ run })
  const cost = async (next: HostPlan) => {
    commands = 0
    expect(await agent.apply(next)).toEqual({ revision: 1 })
    return commands
  }
  try {
    const [first, ...others] = plan.networks
    const neighbour = neighbourOf({ ...guestPort(first!, 200), addresses: ['10.0.2.1'] }, '10.99.0.9')
    await cost({ ...plan, ports: plan.ports.slice(1) })
    return {
      port: await cost(plan),
      nothing: await cost(plan),
      rule: await cost({ ...plan, groups: [groupOf(1, [...anyEgress, ssh, ingress()])] }),
      ruleTakenAway: await cost(plan),
      neighbour: await cost({ ...plan, networks: [{ ...first!, neighbours: [neighbour] }, ...others] }),
    }
  } finally {
    await agent.close()
  }
}

it('takes as many commands for a change with many ports and networks as with few', async () => {
  const few = await commandsOn(planWith(2, 2))
  expect(few).toMatchObject({ nothing: 0, rule: 1 })
  expect(await commandsOn(planWith(2, 100))).toEqual(few)
  expect(await commandsOn(planWith(12, 2))).toEqual(few)
})
