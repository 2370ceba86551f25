import { systemClock } from '@nubo/kernel'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { HostNetwork } from '../host-network.js'
import { bridgeName } from '../names.js'
import type { NetworkPlan, PortPlan } from '../plan.js'
import { guestPort, planOf, servedNetwork, subnetOf } from '../testing/served-networks.js'
import { TestHosts, type TestGuest, type TestHost } from '../testing/test-hosts.js'

let hosts: TestHosts
const opened: HostNetwork[] = []

afterEach(async () => {
  for (const network of opened.splice(0)) await network.close()
  await hosts[Symbol.asyncDispose]()
})

async function begin(network: NetworkPlan, ports: readonly PortPlan[]): Promise<{ host: TestHost; agent: HostNetwork }> {
  hosts = await TestHosts.begin(1)
  const host = hosts.hosts[0]!
  const agent = host.open()
  opened.push(agent)
  expect(await agent.apply(planOf([network], ports))).toEqual({ revision: 1 })
  return { host, agent }
}

const plug = (host: TestHost, network: NetworkPlan, port: PortPlan) =>
  host.plugIn(port.hostname!, port, bridgeName(network), network.mtu)

/** Until somebody answers; a test that waits in vain is ended by its own time. */
async function leaseAtLast(guest: TestGuest) {
  for (;;) {
    const lease = await guest.askForLease()
    if (lease) return lease
  }
}

describe('a guest', () => {
  test('is told its address and all that its network says; one that nobody knows is told nothing', async () => {
    const network = servedNetwork(100, {
      mtu: 1_450,
      dnsDomain: 'example.com.',
      subnets: [subnetOf({ dnsNameservers: ['9.9.9.9'], hostRoutes: [{ destination: '198.51.100.0/24', nexthop: '10.0.0.7' }] })],
    })
    const extraDhcpOptions = [
      { name: 'ntp-server', value: '192.0.2.123', ipVersion: 4 as const },
      // Of its own, where its subnet says otherwise.
      { name: 'mtu', value: '1400', ipVersion: 4 as const },
      { name: 'unheard-of', value: '1', ipVersion: 4 as const },
      { name: '67', value: 'boot.img', ipVersion: 4 as const },
      { name: 'nonsense', value: 'a\nb', ipVersion: 4 as const },
    ]
    const port = guestPort(network, 11, { extraDhcpOptions })
    const { host } = await begin(network, [port, guestPort(network, 12)])
    const guest = await plug(host, network, port)
    expect(await guest.askForLease()).toMatchObject({
      new_ip_address: '10.0.0.11',
      new_subnet_mask: '255.255.255.0',
      new_routers: '10.0.0.1',
      new_interface_mtu: '1400',
      new_host_name: 'guest-11',
      new_domain_name: 'example.com',
      new_domain_name_servers: '10.0.0.2 9.9.9.9',
      new_rfc3442_classless_static_routes: '32 169 254 169 254 10 0 0 2 24 198 51 100 10 0 0 7 0 10 0 0 1',
      new_ntp_servers: '192.0.2.123',
      new_bootfile_name: 'boot.img',
    })
    const stranger = await plug(host, network, { ...guestPort(network, 99), mac: 'fa:16:3e:99:99:99' })
    expect(await stranger.askForLease()).toBeUndefined()
  })

  test.each(['ignore', 'infinite', '7', '2d'])('may be called %s, which dnsmasq takes for something else', async (hostname) => {
    const network = servedNetwork(100)
    const port = guestPort(network, 11, { hostname })
    const { host } = await begin(network, [port])
    const guest = await host.plugIn('guest', port, bridgeName(network), network.mtu)
    expect(await guest.askForLease()).toMatchObject({
      new_ip_address: '10.0.0.11',
      new_host_name: hostname,
      new_dhcp_lease_time: '86400',
    })
  })

  test('finds its neighbours by name, and the world by the nameservers of its subnet', async () => {
    const network = servedNetwork(100, {
      subnets: [subnetOf({ dnsNameservers: ['9.9.9.9'] })],
      names: [
        { name: 'guest-11', addresses: ['10.0.0.11'] },
        { name: 'far-away', addresses: ['10.0.0.77'] },
        { name: 'db.far-away', addresses: ['10.0.0.79'] },
      ],
    })
    const port = guestPort(network, 11)
    const { host, agent } = await begin(network, [port])
    // The world, which has an address that is nobody else's.
    await host.run(`ip address add 9.9.9.9/32 dev lo
      dnsmasq --conf-file=/dev/null --pid-file= --port=53 --listen-address=9.9.9.9 --bind-interfaces --no-resolv --no-hosts \\
        --user=nobody --address=/example.org/192.0.2.7`)
    const guest = await plug(host, network, port)
    await guest.run('ip', 'address', 'add', '10.0.0.11/24', 'dev', 'eth0')
    expect(await guest.ask('10.0.0.2', 'far-away.nubo.test')).toEqual(['10.0.0.77'])
    expect(await guest.ask('10.0.0.2', 'far-away')).toEqual(['10.0.0.77'])
    expect(await guest.ask('10.0.0.2', '10.0.0.77')).toEqual(['far-away.nubo.test'])
    expect(await guest.ask('10.0.0.2', 'db.far-away.nubo.test')).toEqual(['10.0.0.79'])
    expect(await guest.ask('10.0.0.2', 'host-10-0-0-12.nubo.test')).toEqual(['10.0.0.12'])
    expect(await guest.ask('10.0.0.2', 'www.example.org')).toEqual(['192.0.2.7'])
    expect(await guest.ask('10.0.0.2', 'nobody.nubo.test')).toEqual(['ENOTFOUND'])

    const process = await host.run(`cat ${host.settings.directory}/processes/network-100.pid`)
    const names = [{ name: 'newcomer', addresses: ['10.0.0.78'] }]
    await agent.apply(planOf([{ ...network, names }], [port], 2))
    for (;;) if ((await guest.ask('10.0.0.2', 'newcomer.nubo.test'))[0] === '10.0.0.78') break
    expect(await guest.ask('10.0.0.2', 'far-away.nubo.test')).toEqual(['ENOTFOUND'])
    expect(await host.run(`cat ${host.settings.directory}/processes/network-100.pid`)).toBe(process)
  })

  test('gets the address of a guest that is gone, if it is its own now', async () => {
    const network = servedNetwork(100)
    const [first, second] = [guestPort(network, 11), { ...guestPort(network, 12), addresses: ['10.0.0.11'] }]
    const { host, agent } = await begin(network, [first])
    const old = await plug(host, network, first)
    expect(await old.askForLease()).toMatchObject({ new_ip_address: '10.0.0.11' })
    await host.unplug(old)
    expect(await agent.apply(planOf([network], [second], 2))).toEqual({ revision: 2 })
    expect(await (await plug(host, network, second)).askForLease()).toMatchObject({ new_ip_address: '10.0.0.11' })
  })
})

describe('over IPv6 a guest', () => {
  const six = { cidr: 'fd00:10::/64', gateway: null }
  const service = { ...servedNetwork(100).service!, addresses: ['10.0.0.2', 'fd00:10::2'] }

  test('is given its address by DHCP where the subnet says so', async () => {
    const subnets = [subnetOf(), subnetOf({ ...six, raMode: 'dhcpv6-stateful', addressMode: 'dhcpv6-stateful' })]
    const network = servedNetwork(100, { subnets, service })
    const port = guestPort(network, 11, { addresses: ['10.0.0.11', 'fd00:10::11'] })
    const { host } = await begin(network, [port])
    const guest = await plug(host, network, port)
    expect(await guest.askForLease(6, ['-D', 'LL'])).toMatchObject({
      new_ip6_address: 'fd00:10::11',
      new_dhcp6_name_servers: 'fd00:10::2',
    })
    expect(await guest.askForLease()).toMatchObject({ new_ip_address: '10.0.0.11' })
  })

  test('gives itself the address that follows from what is advertised, and takes nobody for a router', async () => {
    const network = servedNetwork(100, { subnets: [subnetOf({ ...six, raMode: 'slaac', addressMode: 'slaac' })], service })
    const port = guestPort(network, 11, { mac: 'fa:16:3e:00:00:11', addresses: ['fd00:10::f816:3eff:fe00:11'] })
    const { host } = await begin(network, [port])
    const guest = await plug(host, network, port)
    for (;;) {
      if ((await guest.run('ip', '-6', 'address', 'show', 'dev', 'eth0')).includes('fd00:10::f816:3eff:fe00:11/64')) break
      await systemClock.sleep(100)
    }
    expect(await guest.run('ip', '-6', 'route', 'show', 'default')).toBe('')
    expect(await guest.reaches('fd00:10::2')).toBe(true)
  })
})

describe('when programs are killed', () => {
  const network = servedNetwork(100)
  const ports = [guestPort(network, 11), guestPort(network, 12)]

  test('DHCP is back without anybody asking for it, and guests are not disturbed', async () => {
    const { host } = await begin(network, ports)
    const [one, two] = [await plug(host, network, ports[0]!), await plug(host, network, ports[1]!)]
    for (const guest of [one, two]) expect(await guest.askForLease()).toBeDefined()
    await host.run(`kill -9 $(cat ${host.settings.directory}/processes/*.pid)`)
    expect(await one.reaches('10.0.0.12', 1_472)).toBe(true)
    expect(await leaseAtLast(one)).toMatchObject({ new_ip_address: '10.0.0.11' })
  })

  test('networks go on without us, and whoever comes after finds them as they are, or mends them', async () => {
    const { host, agent } = await begin(network, ports)
    const [one, two] = [await plug(host, network, ports[0]!), await plug(host, network, ports[1]!)]
    await agent.close()
    for (const guest of [one, two]) expect(await guest.askForLease()).toBeDefined()
    expect(await one.reaches('10.0.0.12')).toBe(true)

    const process = await host.run(`cat ${host.settings.directory}/processes/network-100.pid`)
    const next = host.open()
    opened.push(next)
    expect(await next.apply(planOf([network], ports))).toEqual({ revision: 1 })
    expect(await host.run(`cat ${host.settings.directory}/processes/network-100.pid`)).toBe(process)

    await host.run('ip link del nubr100; ip netns del nudh100; nft flush ruleset')
    expect(await next.mend()).toEqual({ revision: 1 })
    expect(await one.reaches('10.0.0.12')).toBe(true)
    expect(await two.askForLease()).toMatchObject({ new_ip_address: '10.0.0.12' })
  })
})
