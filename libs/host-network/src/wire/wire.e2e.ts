import { afterEach, describe, expect, test } from '@jest/globals'
import type { HostNetwork } from '../host-network.js'
import { bridgeName } from '../names.js'
import type { NetworkPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { guestPort, neighbourOf, planOf, servedNetwork, subnetOf } from '../testing/served-networks.js'
import { TestHosts, type TestHost } from '../testing/test-hosts.js'

let hosts: TestHosts
const opened: HostNetwork[] = []

afterEach(async () => {
  for (const network of opened.splice(0)) await network.close()
  await hosts[Symbol.asyncDispose]()
})

function open(host: TestHost, processes?: ProcessRunner): HostNetwork {
  const network = host.open(processes)
  opened.push(network)
  return network
}

/** A network as two hosts know it that carry one port each. */
function onTwoHosts(network: NetworkPlan, [first, second]: readonly TestHost[]) {
  const ports = [guestPort(network, 11), guestPort(network, 12)] as const
  const names = ports.map(({ hostname, addresses }) => ({ name: hostname!, addresses }))
  const seenFrom = [
    { ...network, names, neighbours: [neighbourOf(ports[1], second!.address)] },
    { ...network, names, neighbours: [neighbourOf(ports[0], first!.address)] },
  ] as const
  return { ports, seenFrom }
}

describe('on two hosts', () => {
  test('guests of a network get their addresses and reach each other, with full packets; those of another never do', async () => {
    hosts = await TestHosts.begin(2)
    const [left, right] = hosts.hosts as [TestHost, TestHost]
    const ours = onTwoHosts(servedNetwork(100), hosts.hosts)
    const others = onTwoHosts(servedNetwork(200), hosts.hosts)
    for (const [index, host] of [left, right].entries()) {
      const ports = [ours.ports[index]!, others.ports[index]!]
      expect(await open(host).apply(planOf([ours.seenFrom[index]!, others.seenFrom[index]!], ports))).toEqual({ revision: 1 })
    }
    const plug = (host: TestHost, name: string, port: (typeof ours.ports)[number], vni: number) =>
      host.plugIn(name, port, bridgeName(servedNetwork(vni)), 1_500)
    const [one, two] = [await plug(left, 'one', ours.ports[0], 100), await plug(right, 'two', ours.ports[1], 100)]
    const [three, four] = [await plug(left, 'three', others.ports[0], 200), await plug(right, 'four', others.ports[1], 200)]

    const lease = await one.askForLease()
    expect(lease).toMatchObject({ new_ip_address: '10.0.0.11', new_interface_mtu: '1500', new_host_name: 'guest-11' })
    for (const guest of [two, three, four]) expect(await guest.askForLease()).toBeDefined()

    expect(await one.reaches('10.0.0.12')).toBe(true)
    expect(await one.reaches('10.0.0.12', 1_472)).toBe(true)
    // What answers has the same address, and is the other network's own.
    expect(await three.reaches('10.0.0.12', 1_472)).toBe(true)
    await four.run('ip', 'address', 'flush', 'dev', 'eth0')
    expect(await three.reaches('10.0.0.12')).toBe(false)
    expect(await one.reaches('10.0.0.12')).toBe(true)
  })

  test('who has an address is answered on the own host: no question crosses the underlay', async () => {
    hosts = await TestHosts.begin(2)
    const [left, right] = hosts.hosts as [TestHost, TestHost]
    const network = servedNetwork(100, { subnets: [subnetOf(), subnetOf({ cidr: 'fd00:10::/64', gateway: null, dhcp: false })] })
    const { ports, seenFrom } = onTwoHosts(network, hosts.hosts)
    const addressed = { ...seenFrom[0], neighbours: [{ ...seenFrom[0].neighbours[0]!, addresses: ['10.0.0.12', 'fd00:10::12'] }] }
    await open(left).apply(planOf([addressed], [ports[0]]))
    const guest = await left.plugIn('one', ports[0], bridgeName(network), 1_500)
    await guest.run('ip', 'address', 'add', '10.0.0.11/24', 'dev', 'eth0')
    await guest.run('ip', 'address', 'add', 'fd00:10::11/64', 'dev', 'eth0', 'nodad')
    // Nobody is there, so nobody but the own host can answer.
    await right.run('ip link set eth0 down')
    await guest.reaches('10.0.0.12')
    await guest.reaches('fd00:10::12')
    const known = await guest.run('ip', 'neighbour', 'show')
    expect(known).toContain(`10.0.0.12 dev eth0 lladdr ${ports[1].mac}`)
    expect(known).toContain(`fd00:10::12 dev eth0 lladdr ${ports[1].mac}`)
  })
})

test('nobody speaks in a network from where it is not, though he reaches a host on the underlay', async () => {
  hosts = await TestHosts.begin(3)
  const [left, right, stranger] = hosts.hosts as [TestHost, TestHost, TestHost]
  const network = servedNetwork(100)
  const { ports, seenFrom } = onTwoHosts(network, hosts.hosts)
  for (const [index, host] of [left, right].entries()) await open(host).apply(planOf([seenFrom[index]!], [ports[index]!]))
  const one = await left.plugIn('one', ports[0], bridgeName(network), 1_500)
  const two = await right.plugIn('two', ports[1], bridgeName(network), 1_500)
  await one.run('ip', 'address', 'add', '10.0.0.11/24', 'dev', 'eth0')
  await two.run('ip', 'address', 'add', '10.0.0.12/24', 'dev', 'eth0')
  const speak = (vni: number) =>
    stranger.run(`ip link add speaker type vxlan id ${vni} remote ${left.address} dstport ${left.settings.vxlanPort}
      ip address add 10.0.0.66/24 dev speaker
      ip link set speaker up
      arping -q -c 2 -w 3 -I speaker 10.0.0.11 || true
      ip link del speaker`)
  await speak(100)
  expect(await one.run('ip', 'neighbour', 'show', '10.0.0.66')).toBe('')
  expect(await one.reaches('10.0.0.12')).toBe(true)

  // What others do by the same port is theirs.
  await left.run(`ip link add others type vxlan id 101 local ${left.address} dstport ${left.settings.vxlanPort}
    ip address add 10.0.0.11/24 dev others
    ip link set others up`)
  await speak(101)
  expect(await left.run('ip neighbour show 10.0.0.66')).toContain('dev others')
})

describe('on one host', () => {
  const network = servedNetwork(100, { neighbours: [{ mac: 'fa:16:3e:77:00:01', addresses: ['10.0.0.71'], host: '10.99.0.9' }] })
  const served = servedNetwork(200, { subnets: [subnetOf({ dnsNameservers: ['9.9.9.9'] })] })
  const outside = { ...servedNetwork(300), segment: { kind: 'flat', physicalNetwork: 'outside' } as const }
  const settings = { physicalNetworks: { outside: { device: 'outside' } } }
  const plan = planOf([network, served, outside], [guestPort(network, 11), guestPort(served, 11), guestPort(outside, 11)])

  /** As on a bare machine, which has no package with the names of protocols. */
  async function forgetProtocolNames(host: TestHost): Promise<void> {
    await host.run('[ ! -e /etc/protocols ] || mount --bind /dev/null /etc/protocols')
  }

  /** All that commands change, and not what they ask. */
  function changing(host: TestHost): { processes: ProcessRunner; seen: string[] } {
    const seen: string[] = []
    const run: ProcessRunner['run'] = (program, args, options) => {
      const words = [program, ...args].join(' ')
      const isQuestion = /-json|--json| -L |^nsenter \S+ sh$|^sh$|^cat \/proc\//.test(words)
      if (!isQuestion) seen.push(words)
      return host.lab.processes.run(program, args, options)
    }
    return { processes: { run }, seen }
  }

  test('nothing is done twice, and nothing to what is as it should be', async () => {
    hosts = await TestHosts.begin(1, settings)
    const host = hosts.hosts[0]!
    await host.run('ip link add outside type veth peer name beyond')
    const { processes, seen } = changing(host)
    const agent = open(host, processes)
    expect(await agent.apply(plan)).toEqual({ revision: 1 })
    seen.splice(0)
    expect(await agent.apply({ ...plan, revision: 2 })).toEqual({ revision: 2 })
    expect(await agent.mend()).toEqual({ revision: 2 })
    expect(await open(host, processes).apply(plan)).toEqual({ revision: 1 })
    await forgetProtocolNames(host)
    expect(await agent.mend()).toEqual({ revision: 2 })
    expect(seen).toEqual([])
  })

  test('a guest that took its tap along costs no look at all the rest', async () => {
    hosts = await TestHosts.begin(1)
    const host = hosts.hosts[0]!
    const asked: string[] = []
    const run: ProcessRunner['run'] = (program, args, options) => {
      asked.push([program, ...args].join(' '))
      return host.lab.processes.run(program, args, options)
    }
    const agent = open(host, { run })
    const port = guestPort(network, 11)
    await agent.apply(planOf([network], [port]))
    const guest = await host.plugIn('one', port, bridgeName(network), 1_500)
    expect(await agent.mend()).toEqual({ revision: 1 })
    await host.unplug(guest)
    asked.splice(0)
    expect(await agent.apply(planOf([network], [], 2))).toEqual({ revision: 2 })
    expect(asked.filter((words) => words.endsWith('netns list'))).toEqual([])
  })

  test('a namespace of which only the name is left is made anew', async () => {
    hosts = await TestHosts.begin(1)
    const host = hosts.hosts[0]!
    const agent = open(host)
    const port = guestPort(network, 11)
    await agent.apply(planOf([network], [port]))
    const guest = await host.plugIn('one', port, bridgeName(network), 1_500)
    await host.run('umount /run/netns/nudh100')
    expect(await agent.mend()).toEqual({ revision: 1 })
    expect(await guest.askForLease()).toMatchObject({ new_ip_address: '10.0.0.11' })
  })

  test('nothing is left when nothing is to be', async () => {
    hosts = await TestHosts.begin(1, settings)
    const host = hosts.hosts[0]!
    await host.run('ip link add outside type veth peer name beyond; ip link set beyond up; ip link set outside up')
    const all = `ip -o link | sed 's/ qlen.*//'; ip netns; nft list ruleset; ip -4 route show table all; ip rule
      bridge fdb | sed 's/ *$//' | sort
      ls -R ${host.settings.directory} 2>/dev/null | grep '[.]' || true
      grep -la [d]nsmasq /proc/[0-9]*/cmdline || true`
    const before = await host.run(all)
    const agent = open(host)
    expect(await agent.apply(plan)).toEqual({ revision: 1 })
    expect(await host.run(all)).not.toBe(before)
    expect(await agent.apply(planOf([], [], 2))).toEqual({ revision: 2 })
    expect(await host.run(all)).toBe(before)
  })
})
