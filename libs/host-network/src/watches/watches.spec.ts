import { CloudError } from '@nubo/kernel'
import { describe, expect, it } from '@jest/globals'
import { zonesOf } from '../groups/zones.js'
import type { ProcessRunner } from '../process-runner.js'
import { SimulatedHostNetwork } from '../simulated-host-network.js'
import { emptyPlan, networkOf } from '../testing/plans.js'
import { guestPort, planOf, servedNetwork } from '../testing/served-networks.js'
import { TrackedConnectionsWatch } from './tracked-connections.js'
import { UnderlayWatch } from './underlay.js'
import { WatchedHostNetwork } from './watched-host-network.js'

describe('the way to other hosts', () => {
  /** As iproute2 lists links of which one has the address. */
  function hostOn(address: string, mtu: number) {
    const underlay = { mtu, looks: 0 }
    const run: ProcessRunner['run'] = async () => {
      underlay.looks++
      return JSON.stringify([{}, { ifname: 'eth0', mtu: underlay.mtu }])
    }
    const watches = [new UnderlayWatch({ run }, address)]
    return { underlay, network: new WatchedHostNetwork(new SimulatedHostNetwork(), watches) }
  }

  it('is told of while it is too narrow for a network', async () => {
    const { underlay, network } = hostOn('192.0.2.11', 1_500)
    const plan = planOf([networkOf(7, { mtu: 1_450 }), networkOf(8, { mtu: 1_500 })], [])
    const warning = 'eth0, the way to other hosts, carries 1500 bytes; networks with an MTU of 1500 need 1550 of it'
    await network.apply(plan)
    expect(await network.mend()).toEqual({ revision: 1, warning })
    expect(await network.apply(plan)).toEqual({ revision: 1, warning })
    underlay.mtu = 1_550
    expect(await network.mend()).toEqual({ revision: 1 })
    underlay.mtu = 1_549
    expect(await network.mend()).toEqual({ revision: 1, warning: warning.replace('1500', '1549') })
    expect(await network.apply({ ...emptyPlan, revision: 2 })).toEqual({ revision: 2 })
  })

  it('is to carry more with IPv6', async () => {
    const { network } = hostOn('2001:db8::11', 1_550)
    await network.apply(planOf([networkOf(7, { mtu: 1_500 })], []))
    expect((await network.mend()).warning).toContain('need 1570')
  })

  it('is not looked at for each change, and says nothing of networks that do not take it', async () => {
    const { underlay, network } = hostOn('192.0.2.11', 1_500)
    const flat = networkOf(9, { mtu: 9_000, segment: { kind: 'flat', physicalNetwork: 'outside' } })
    await network.apply(planOf([flat], []))
    expect(await network.mend()).toEqual({ revision: 1 })
    for (const mtu of [1_400, 1_450]) expect(await network.apply(planOf([networkOf(7, { mtu })], []))).toEqual({ revision: 1 })
    expect(underlay.looks).toBe(1)
  })
})

describe('the table of tracked connections', () => {
  const network = servedNetwork(7)
  const ports = [guestPort(network, 11), guestPort(network, 12)]
  const plan = planOf([network], ports)
  const zone = zonesOf([network]).get(network.networkId)!
  const connection = (zone: number, source: string, port: number) =>
    `-A -t 99 -u UNSET -w ${zone} -s ${source} -d 10.0.0.9 -r 10.0.0.9 -q ${source} -p tcp --sport ${port} --dport 80`

  async function warningOf(numbers: string, lines: readonly string[] = []) {
    const run: ProcessRunner['run'] = async (program) => (program === 'cat' ? numbers : lines.join('\n'))
    const watch = new TrackedConnectionsWatch({ run })
    await watch.look(plan)
    return watch.warning()
  }

  it('is told of when it fills, with the port that began most of what is in it', async () => {
    const lines = [
      ...[1, 2, 3].map((port) => connection(zone, '10.0.0.12', port)),
      connection(zone, '10.0.0.11', 4),
      // The same address of another network is another's.
      ...[5, 6, 7, 8].map((port) => connection(zone + 1, '10.0.0.11', port)),
    ]
    expect(await warningOf('83\n100\n', lines)).toContain(`80 % of the 100 connections`)
    expect(await warningOf('83\n100\n', lines)).toContain(`most of them begun by port ${ports[1]!.portId}`)
  })

  it('is no matter while there is room', async () => {
    expect(await warningOf('69\n100\n')).toBeUndefined()
  })

  it('is no matter where the kernel tracks nothing', async () => {
    const run: ProcessRunner['run'] = async () => {
      throw new CloudError('Unavailable', 'cat: /proc/sys/net/netfilter/nf_conntrack_count: No such file or directory')
    }
    const watch = new TrackedConnectionsWatch({ run })
    await watch.look(plan)
    expect(watch.warning()).toBeUndefined()
  })
})
