import { bridgeName, type HostNetwork, type HostPlan, type ProcessRunner } from '@nubo/host-network'
import { anyEgress, groupOf, guestPort, ingress, planOf, servedNetwork, subnetOf, TestHosts } from '@nubo/host-network/testing'
import type { TestGuest, TestHost } from '@nubo/host-network/testing'
import { systemClock } from '@nubo/kernel'
import type { Figure } from './figures.js'
import { median, p99 } from './statistics.js'

const rounds = 7
const network = servedNetwork(7, { subnets: [subnetOf({ cidr: '10.0.0.0/16' })] })
const addressOf = (number: number) => `10.0.${number >> 8}.${number & 255}`
const ssh = ingress({ protocol: 6, portMin: 22, portMax: 22 })
const web = ingress({ protocol: 6, portMin: 80, portMax: 80 })

/** So many ports in one network and one group. */
function planWith(ports: number, rules = [ssh]): HostPlan {
  const group = groupOf(1, [...anyEgress, ...rules])
  const guests = Array.from({ length: ports }, (_, index) =>
    guestPort(network, index + 10, { addresses: [addressOf(index + 10)], portSecurity: true, groups: [group.groupId] }),
  )
  return { ...planOf([network], guests), groups: [group] }
}

interface Cost {
  commands: number
  milliseconds: number
}

/** What it costs a host to follow its plan: in commands, which a change must not need more of with more ports, and in time. */
export async function benchNetworks(): Promise<Figure[]> {
  const first = await firstPort()
  const [few, many] = [await changes(10), await changes(1_000)]
  return [
    { name: 'the 1st port, with its network: commands', value: first.commands, unit: 'commands' },
    { name: '  time', value: first.milliseconds, unit: 'ms' },
    ...figuresOf('the 10th port', few.port),
    ...figuresOf('the 1,000th port', many.port),
    ...figuresOf('a rule, with 10 ports', few.rule, { atMost: 2_000 }),
    ...figuresOf('a rule, with 1,000 ports', many.rule, { atMost: 2_000 }),
    { name: 'DHCP answers again after a kill', value: await dhcpAfterKill(), unit: 's', aim: { atMost: 10 } },
  ]
}

function figuresOf(name: string, costs: readonly Cost[], aim?: Figure['aim']): Figure[] {
  const times = costs.map(({ milliseconds }) => milliseconds)
  return [
    { name: `${name}: commands`, value: median(costs.map(({ commands }) => commands)), unit: 'commands' },
    { name: '  time', value: median(times), p99: p99(times), unit: 'ms', ...(aim && { aim }) },
  ]
}

async function firstPort(): Promise<Cost> {
  return await onHost(async (host) => {
    const { agent, cost } = measured(host)
    try {
      return await cost(planWith(1))
    } finally {
      await agent.close()
    }
  })
}

/** The last of so many ports comes and goes, and a rule of their group. */
async function changes(ports: number): Promise<{ port: Cost[]; rule: Cost[] }> {
  return await onHost(async (host) => {
    const { agent, cost } = measured(host)
    const costs: { port: Cost[]; rule: Cost[] } = { port: [], rule: [] }
    try {
      for (let round = 0; round < rounds; round++) {
        await cost(planWith(ports - 1))
        costs.port.push(await cost(planWith(ports)))
        costs.rule.push(await cost(planWith(ports, [ssh, web])))
      }
    } finally {
      await agent.close()
    }
    return costs
  })
}

/** A host's agent, and what it costs it to carry a plan out. */
function measured(host: TestHost): { agent: HostNetwork; cost: (plan: HostPlan) => Promise<Cost> } {
  let commands = 0
  const run: ProcessRunner['run'] = (program, args, options) => {
    commands++
    return host.processes.run(program, args, options)
  }
  const agent = host.open({ run })
  const cost = async (plan: HostPlan): Promise<Cost> => {
    commands = 0
    const beforeMs = systemClock.monotonicMs()
    const { trouble } = await agent.apply(plan)
    if (trouble !== undefined) throw new Error(trouble)
    return { commands, milliseconds: systemClock.monotonicMs() - beforeMs }
  }
  return { agent, cost }
}

/** Until a guest that asked without an answer before has its address, in seconds. */
async function dhcpAfterKill(): Promise<number> {
  return await onHost(async (host) => {
    const { agent } = measured(host)
    try {
      const plan = planWith(1)
      await agent.apply(plan)
      const guest = await host.plugIn('guest', plan.ports[0]!, bridgeName(network), network.mtu)
      await leaseOf(guest)
      await host.run(`kill -9 $(cat ${host.settings.directory}/processes/*.pid)`)
      const beforeMs = systemClock.monotonicMs()
      await leaseOf(guest)
      return (systemClock.monotonicMs() - beforeMs) / 1_000
    } finally {
      await agent.close()
    }
  })
}

async function leaseOf(guest: TestGuest): Promise<void> {
  for (let tries = 0; tries < 5; tries++) if (await guest.askForLease()) return
  throw new Error('nobody answers DHCP')
}

async function onHost<T>(work: (host: TestHost) => Promise<T>): Promise<T> {
  await using hosts = await TestHosts.begin(1)
  return await work(hosts.hosts[0]!)
}
