import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Cloud } from '../support/cloud.js'
import { OpenStackClient } from '../support/openstack-client.js'

const minutes = 60_000

let cloud: Cloud
let admin: OpenStackClient
let demo: OpenStackClient

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: [{ name: 'host-1', vcpus: 4, memoryMiB: 4096, diskGiB: 50 }] })
  const file = join(cloud.directory, 'clouds.yaml')
  const domain = { user_domain_name: 'Default', project_domain_name: 'Default' }
  const entry = (name: 'admin' | 'demo') => ({
    auth: { auth_url: `${cloud.apiUrl}/v3`, username: name, password: cloud.passwords[name], project_name: name, ...domain },
    identity_api_version: '3',
    region_name: 'RegionOne',
  })
  await writeFile(file, JSON.stringify({ clouds: { admin: entry('admin'), demo: entry('demo') } }), { mode: 0o600 })
  admin = new OpenStackClient(file, 'admin')
  demo = new OpenStackClient(file, 'demo')
  await admin.run(
    ...['network', 'create', 'outside', '--external'],
    ...['--provider-network-type', 'flat', '--provider-physical-network', 'outside'],
  )
  await admin.run('subnet', 'create', 'outside4', '--network', 'outside', '--subnet-range', '203.0.113.0/24', '--no-dhcp')
  await demo.run('network', 'create', 'inside')
  await demo.run('subnet', 'create', 'inside4', '--network', 'inside', '--subnet-range', '10.0.0.0/24')
}, 5 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

const shown = (kind: string, name: string, by = demo) => by.json<Record<string, unknown>>(...kind.split(' '), 'show', name)

describe('the real client', () => {
  it(
    'makes, shows, sets, unsets and deletes a network and its subnet',
    async () => {
      await demo.run('network', 'create', 'net', '--tag', 'blue', '--mtu', '1400')
      await demo.run('network', 'set', 'net', '--description', 'hello', '--disable', '--tag', 'red')
      expect(await shown('network', 'net')).toMatchObject({ description: 'hello', admin_state_up: false, mtu: 1400 })
      await demo.run('network', 'unset', 'net', '--tag', 'blue')
      expect((await demo.json<{ Name: string }[]>('network', 'list', '--tags', 'red')).map(({ Name }) => Name)).toEqual(['net'])
      expect(await demo.json('network', 'list', '--status', 'ACTIVE', '--disable')).toMatchObject([{ Name: 'net' }])
      const route = 'destination=192.0.2.0/24,gateway=10.1.0.9'
      await demo.run(
        ...['subnet', 'create', 'sub', '--network', 'net', '--subnet-range', '10.1.0.0/24'],
        ...['--dns-nameserver', '1.1.1.1', '--host-route', route, '--allocation-pool', 'start=10.1.0.10,end=10.1.0.20'],
      )
      await demo.run('subnet', 'set', 'sub', '--dns-nameserver', '8.8.8.8', '--no-dhcp', '--gateway', 'none')
      await demo.run('subnet', 'unset', 'sub', '--dns-nameserver', '1.1.1.1', '--host-route', route)
      expect(await shown('subnet', 'sub')).toMatchObject({
        dns_nameservers: ['8.8.8.8'],
        enable_dhcp: false,
        gateway_ip: null,
        host_routes: [],
        allocation_pools: [{ start: '10.1.0.10', end: '10.1.0.20' }],
      })
      await demo.run('subnet', 'delete', 'sub')
      await demo.run('network', 'delete', 'net')
      expect((await demo.try('network', 'show', 'net')).ok).toBe(false)
    },
    5 * minutes,
  )

  it(
    'makes subnets of IPv6 whose guests get their addresses in every way, and one for one kind of port',
    async () => {
      await demo.run('network', 'create', 'six', '--dns-domain', 'example.org.')
      const make = (name: string, range: string, mode: string) =>
        demo.run(
          ...['subnet', 'create', name, '--network', 'six', '--ip-version', '6', '--subnet-range', range],
          ...['--ipv6-ra-mode', mode, '--ipv6-address-mode', mode],
        )
      await make('slaac', 'fd00:1::/64', 'slaac')
      await make('stateful', 'fd00:2::/64', 'dhcpv6-stateful')
      await make('stateless', 'fd00:3::/64', 'dhcpv6-stateless')
      const servers = ['--subnet-range', '10.9.0.0/24', '--service-type', 'compute:nova']
      await demo.run('subnet', 'create', 'servers', '--network', 'six', ...servers)
      await demo.run('port', 'create', 'named', '--network', 'six', '--dns-name', 'web')
      const port = await demo.json<{ fixed_ips: { ip_address: string }[]; dns_assignment: { fqdn: string }[] }>(
        ...['port', 'show', 'named'],
      )
      expect(port.fixed_ips.map(({ ip_address: address }) => address.split('::')[0]).toSorted()).toEqual([
        'fd00:1',
        'fd00:2',
        'fd00:3',
      ])
      expect(new Set(port.dns_assignment.map(({ fqdn }) => fqdn))).toEqual(new Set(['web.example.org.']))
      await demo.run('port', 'delete', 'named')
      await demo.run('network', 'delete', 'six')
    },
    5 * minutes,
  )

  it(
    'takes subnets of a pool',
    async () => {
      await demo.run('subnet', 'pool', 'create', 'pool', '--pool-prefix', '10.50.0.0/16', '--default-prefix-length', '24')
      await demo.run('network', 'create', 'pooled')
      await demo.run('subnet', 'create', 'pooled4', '--network', 'pooled', '--subnet-pool', 'pool')
      expect(await shown('subnet', 'pooled4')).toMatchObject({ cidr: '10.50.0.0/24' })
      expect((await demo.try('subnet', 'pool', 'delete', 'pool')).ok).toBe(false)
      await demo.run('network', 'delete', 'pooled')
      await demo.run('subnet', 'pool', 'set', 'pool', '--pool-prefix', '10.60.0.0/16')
      await demo.run('subnet', 'pool', 'delete', 'pool')
    },
    5 * minutes,
  )

  it(
    'leads a floating IP through a router to a port',
    async () => {
      await demo.run('router', 'create', 'router')
      await demo.run('router', 'set', 'router', '--external-gateway', 'outside')
      await demo.run('router', 'add', 'subnet', 'router', 'inside4')
      await demo.run('router', 'add', 'route', 'router', '--route', 'destination=198.51.100.0/24,gateway=10.0.0.9')
      expect(await shown('router', 'router')).toMatchObject({
        external_gateway_info: { enable_snat: true },
        interfaces_info: [{ ip_address: '10.0.0.1' }],
        routes: [{ destination: '198.51.100.0/24', nexthop: '10.0.0.9' }],
      })
      await demo.run('router', 'remove', 'route', 'router', '--route', 'destination=198.51.100.0/24,gateway=10.0.0.9')
      await demo.run('port', 'create', 'port', '--network', 'inside', '--fixed-ip', 'subnet=inside4,ip-address=10.0.0.50')
      const { floating_ip_address: address } = await demo.json('floating', 'ip', 'create', 'outside')
      await demo.run('floating', 'ip', 'set', '--port', 'port', String(address))
      expect(await shown('floating ip', String(address))).toMatchObject({ fixed_ip_address: '10.0.0.50', status: 'ACTIVE' })
      const refused = await demo.try('router', 'remove', 'subnet', 'router', 'inside4')
      expect(refused).toMatchObject({ ok: false, errors: expect.stringContaining('required by one or more floating IPs') })
      await demo.run('floating', 'ip', 'unset', '--port', String(address))
      await demo.run('floating', 'ip', 'delete', String(address))
      await demo.run('port', 'delete', 'port')
      await demo.run('router', 'remove', 'subnet', 'router', 'inside4')
      await demo.run('router', 'unset', 'router', '--external-gateway')
      await demo.run('router', 'delete', 'router')
    },
    10 * minutes,
  )

  it(
    'shares a network with another project, and takes it back',
    async () => {
      await admin.run('network', 'create', 'lent')
      const share = ['--type', 'network', '--action', 'access_as_shared', '--target-project', 'demo', 'lent']
      const { id } = await admin.json('network', 'rbac', 'create', ...share)
      expect(await shown('network', 'lent')).toMatchObject({ shared: true })
      expect(await demo.json('network', 'rbac', 'list', '--type', 'network')).toMatchObject([{ ID: id }])
      expect((await demo.try('network', 'set', 'lent', '--description', 'mine')).ok).toBe(false)
      await admin.run('network', 'rbac', 'delete', String(id))
      expect((await demo.try('network', 'show', 'lent')).ok).toBe(false)
      await admin.run('network', 'delete', 'lent')
    },
    5 * minutes,
  )

  it(
    'reads limits, extensions, zones and agents',
    async () => {
      await admin.run('quota', 'set', '--networks', '50', 'demo')
      expect(JSON.stringify(await demo.json('quota', 'show'))).toContain('50')
      const aliases = await demo.json<{ Alias: string }[]>('extension', 'list', '--network')
      expect(aliases.map(({ Alias }) => Alias)).toEqual(expect.arrayContaining(['router', 'external-net', 'rbac-policies']))
      expect(await demo.json('availability', 'zone', 'list', '--network')).toHaveLength(2)
      const [agent, ...others] = await admin.json<{ ID: string }[]>('network', 'agent', 'list')
      expect([agent, others]).toMatchObject([{ Host: 'host-1', Alive: true }, []])
      await admin.run('network', 'agent', 'set', agent!.ID, '--description', 'first')
      expect(await shown('network agent', agent!.ID, admin)).toMatchObject({ description: 'first', admin_state_up: true })
      const use = await admin.json<Record<string, unknown>>('ip', 'availability', 'show', 'inside')
      expect(use).toMatchObject({ network_name: 'inside', total_ips: 253 })
      expect(await admin.json('ip', 'availability', 'list')).toContainEqual(expect.objectContaining({ 'Network Name': 'inside' }))
    },
    5 * minutes,
  )
})
