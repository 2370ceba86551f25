import { systemClock } from '@nubo/kernel'
import { afterEach, expect, it } from '@jest/globals'
import { linkLocalOf } from '../addresses.js'
import type { HostNetwork } from '../host-network.js'
import { bridgeName } from '../names.js'
import type { Ipv6Mode } from '../plan.js'
import { routerOf } from '../testing/plans.js'
import { guestPort, planOf, servedNetwork, subnetOf } from '../testing/served-networks.js'
import { TestHosts, type TestHost } from '../testing/test-hosts.js'

const prefix = 'fd00:10::/64'
let hosts: TestHosts
let agent: HostNetwork

afterEach(async () => {
  await agent.close()
  await hosts[Symbol.asyncDispose]()
})

it.each<[Ipv6Mode, boolean]>([
  ['slaac', true],
  ['dhcpv6-stateless', true],
  ['dhcpv6-stateful', false],
])('tells guests that it is their way out, and with %s how they get their addresses', async (mode, givesItself) => {
  hosts = await TestHosts.begin(1)
  const [host] = hosts.hosts as [TestHost]
  const six = subnetOf({ cidr: prefix, gateway: 'fd00:10::1', raMode: mode, addressMode: mode })
  const network = servedNetwork(100, { subnets: [subnetOf(), six] })
  const bare = routerOf(1, [{ network, addresses: ['fd00:10::1/64'] }])
  const router = { ...bare, interfaces: bare.interfaces.map((one) => ({ ...one, advertised: [{ prefix, mode }] })) }
  const port = guestPort(network, 11)
  agent = host.open()
  expect(await agent.apply({ ...planOf([network], [port]), routers: [router] })).toEqual({ revision: 1 })
  const guest = await host.plugIn('one', port, bridgeName(network), 1_500)
  const { mac } = router.interfaces[0]!
  await until(async () => (await guest.run('ip', '-6', 'route', 'show', 'default')).includes(`via ${linkLocalOf(mac)} `))
  // The network's own service speaks too, and nobody takes it for a router.
  expect(await guest.run('ip', '-6', 'route', 'show', 'default')).not.toContain(linkLocalOf(network.service!.mac))
  const addresses = await guest.run('ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'global')
  expect(addresses.includes('fd00:10::')).toBe(givesItself)
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await holds()) return
    await systemClock.sleep(200)
  }
  throw new Error('it did not come')
}
