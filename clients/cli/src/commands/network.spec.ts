import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import { addFakeNetworks } from '../testing/fake-networks.js'

stopCloudsAfterEach()

async function aCloudWithNetworks() {
  const { cloud, nubo } = await aCloud({ network: true })
  return { cloud, nubo, kept: addFakeNetworks(cloud) }
}

describe('network', () => {
  it('is made with a first subnet, listed, shown by name, and deleted', async () => {
    const { cloud, nubo, kept } = await aCloudWithNetworks()
    expect((await nubo('network create inside --cidr 10.0.0.0/24 --mtu 1400')).code).toBe(0)
    expect(cloud.sent('POST', /networks$/)[0]!.json()).toEqual({ network: { name: 'inside', mtu: 1400 } })
    const [network] = kept['networks']!
    expect(cloud.sent('POST', /subnets$/)[0]!.json()).toEqual({
      subnet: { name: 'inside', network_id: network!.id, cidr: '10.0.0.0/24', ip_version: 4 },
    })
    expect((await nubo('network list --json')).json()).toMatchObject([{ id: network!.id, name: 'inside' }])
    expect((await nubo('subnet show inside --json')).json()).toMatchObject({ cidr: '10.0.0.0/24' })
    expect(await nubo('network delete inside')).toMatchObject({ code: 0, stderr: 'deleted inside\n' })
    expect(await nubo('network show inside')).toMatchObject({ code: 3, stderr: "nubo: There is no network 'inside'\n" })
  })

  it('takes what is to be said of IPv6, and a subnet without a gateway', async () => {
    const { cloud, nubo } = await aCloudWithNetworks()
    await nubo('network create six')
    await nubo('subnet create six --network six --cidr fd00::/64 --ipv6-mode slaac --gateway none --dns fd00::53')
    expect(cloud.sent('POST', /subnets$/)[0]!.json().subnet).toMatchObject({
      ...{ ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac', gateway_ip: null },
      dns_nameservers: ['fd00::53'],
    })
  })

  it('says so where a cloud has no network service', async () => {
    const { nubo } = await aCloud()
    expect(await nubo('network list')).toMatchObject({ code: 1, stderr: 'nubo: This cloud has no network service\n' })
  })
})

it('a trace is told in sentences, and whole to programs', async () => {
  const { cloud, nubo } = await aCloud({ nubo: true })
  const { id } = cloud.addServer({ name: 'web' })
  const answer = { outcome: 'dropped', lines: ['Port p drops it.', 'It does not arrive.'] }
  cloud.on('GET', /network-trace/, () => ({ body: { network_trace: answer } }))
  expect((await nubo('network trace web 10.0.0.7 --port 22')).stdout).toBe('Port p drops it.\nIt does not arrive.\n')
  expect((await nubo('network trace web 10.0.0.7 --protocol icmp --json')).json()).toEqual(answer)
  expect(cloud.sent('GET', /network-trace/).map(({ path }) => path.replace(/.*servers/, ''))).toEqual([
    `/${id}/network-trace?address=10.0.0.7&port=22`,
    `/${id}/network-trace?address=10.0.0.7&protocol=icmp`,
  ])
})

it('a port has the address and groups that it is given by name', async () => {
  const { cloud, nubo, kept } = await aCloudWithNetworks()
  await nubo('network create inside')
  await nubo('security-group create web')
  expect((await nubo('port create p --network inside --address 10.0.0.9 --security-group web')).code).toBe(0)
  expect(cloud.sent('POST', /ports$/)[0]!.json().port).toEqual({
    name: 'p',
    network_id: kept['networks']![0]!.id,
    fixed_ips: [{ ip_address: '10.0.0.9' }],
    security_groups: [kept['security-groups']![0]!.id],
  })
})

it('a router leads outside, and is connected and disconnected', async () => {
  const { cloud, nubo, kept } = await aCloudWithNetworks()
  await nubo('network create external --external')
  await nubo('network create inside --cidr 10.0.0.0/24')
  await nubo('router create out --external external')
  const [router] = kept['routers']!
  expect(router).toMatchObject({ external_gateway_info: { network_id: kept['networks']![0]!.id } })
  expect((await nubo('router add out inside')).code).toBe(0)
  expect((await nubo('router remove out inside')).code).toBe(0)
  expect(cloud.sent('PUT', /_router_interface$/).map((sent) => [sent.path.split('/').at(-1), sent.json()])).toEqual([
    ['add_router_interface', { subnet_id: kept['subnets']![0]!.id }],
    ['remove_router_interface', { subnet_id: kept['subnets']![0]!.id }],
  ])
})

describe('floating-ip', () => {
  it('is taken of the only external network for a server, led elsewhere, and nowhere', async () => {
    const { cloud, nubo, kept } = await aCloudWithNetworks()
    const { id } = cloud.addServer({ name: 'web' })
    kept['networks'] = [{ id: 'n-1', name: 'external', 'router:external': true }]
    kept['ports'] = [{ id: 'p-1', device_id: id, fixed_ips: [{ ip_address: 'fd00::5' }, { ip_address: '10.0.0.5' }] }]
    expect((await nubo('floating-ip create --server web')).code).toBe(0)
    expect(cloud.sent('POST', /floatingips$/)[0]!.json().floatingip).toEqual({ floating_network_id: 'n-1', port_id: 'p-1' })
    const [floating] = kept['floatingips']!
    floating!['floating_ip_address'] = '203.0.113.5'
    expect((await nubo('floating-ip detach 203.0.113.5 --json')).json()).toMatchObject({ port_id: null })
    expect((await nubo('floating-ip attach 203.0.113.5 web --json')).json()).toMatchObject({ port_id: 'p-1' })
  })

  it('asks which where there are several external networks, and says so where a server has no IPv4 address', async () => {
    const { cloud, nubo, kept } = await aCloudWithNetworks()
    cloud.addServer({ name: 'web' })
    kept['networks'] = ['one', 'two'].map((name) => ({ id: name, name, 'router:external': true }))
    expect(await nubo('floating-ip create')).toMatchObject({ code: 2, stderr: 'nubo: Say which with --network: one, two\n' })
    expect(await nubo('floating-ip create --network one --server web')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('web has no IPv4 address'),
    })
  })
})

describe('security-group rule', () => {
  it('says what passes: ports, from where, from which group, or where to', async () => {
    const { cloud, nubo, kept } = await aCloudWithNetworks()
    await nubo('security-group create web')
    await nubo('security-group rule create web --protocol tcp --ports 8000-8080 --from 10.0.0.0/8')
    await nubo('security-group rule create web --protocol tcp --ports 22 --from-group web')
    await nubo('security-group rule create web --to fd00::/8')
    const [group] = kept['security-groups']!
    const sent = cloud.sent('POST', /security-group-rules$/).map((request) => request.json().security_group_rule)
    const common = { security_group_id: group!.id, ethertype: 'IPv4', direction: 'ingress' }
    expect(sent).toEqual([
      { ...common, protocol: 'tcp', port_range_min: 8000, port_range_max: 8080, remote_ip_prefix: '10.0.0.0/8' },
      { ...common, protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_group_id: group!.id },
      { ...common, ethertype: 'IPv6', direction: 'egress', remote_ip_prefix: 'fd00::/8' },
    ])
    expect((await nubo('security-group rule list web --json')).json()).toHaveLength(3)
  })

  it('refuses ports that are none, before it asks the cloud', async () => {
    const { cloud, nubo } = await aCloudWithNetworks()
    expect(await nubo('security-group rule create web --protocol tcp --ports 80-22')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--ports takes 22 or 8000-8080, not '80-22'"),
    })
    expect(cloud.requests).toEqual([])
  })
})
