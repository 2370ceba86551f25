import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Caller } from '@nubo/auth'
import { newId, systemRandom, type DomainId, type ProjectId, type UserId } from '@nubo/kernel'
import { addHost, addServer } from '../../testing/hosts.js'
import { networkRequests, startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let demoProject: string
let hostId: string
let networkId: string
let subnetId: string

beforeAll(async () => {
  ;({ api, admin, demo, demoProject } = await startNetworkApi())
  hostId = await addHost(api.database, { name: 'host-1' })
})
beforeEach(async () => {
  await api.database.execute('TRUNCATE networks, security_groups, network_changes, project_quotas, routers CASCADE')
  networkId = await make('network', { name: 'net' })
  subnetId = await make('subnet', { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24', enable_dhcp: false })
  await changes()
})
afterAll(() => api?.stop())

const pathOf = (kind: string) => `/${kind.replaceAll('_', '-')}s`
const make = async (kind: string, body: Record<string, unknown>, by = demo): Promise<string> =>
  (await by('POST', pathOf(kind), { [kind]: body })).body[kind].id
const tryPort = (port: Record<string, unknown> = {}, by = demo) =>
  by('POST', '/ports', { port: { network_id: networkId, ...port } })
const makePort = async (port: Record<string, unknown> = {}, by = demo) => (await tryPort(port, by)).body.port
const setPort = (id: string, port: Record<string, unknown>, by = demo) => by('PUT', `/ports/${id}`, { port })
const show = async (id: string, by = demo) => (await by('GET', `/ports/${id}`)).body.port
const idsOf = async (query: string, by = demo) =>
  (await by('GET', `/ports?fields=id&${query}`)).body.ports.map(({ id }: { id: string }) => id)
const changes = async () =>
  (await api.database.query<{ said: string }>(`DELETE FROM network_changes RETURNING subject || ' ' || subject_id AS said`))
    .map(({ said }) => said)
    .toSorted()
const bind = (id: string) => setPort(id, { 'binding:host_id': 'host-1' }, admin)
const addressesOf = (port: { fixed_ips: { ip_address: string }[] }) => port.fixed_ips.map((each) => each.ip_address)

describe('a port', () => {
  it('is made with what Neutron gives it, shown, changed and deleted', async () => {
    const made = await tryPort({ name: 'first' })
    const { port } = made.body
    expect(made.status).toBe(201)
    expect(port).toEqual({
      id: expect.any(String),
      name: 'first',
      description: '',
      network_id: networkId,
      tenant_id: demoProject,
      project_id: demoProject,
      mac_address: expect.stringMatching(/^fa:16:3e(:[0-9a-f]{2}){3}$/),
      admin_state_up: true,
      status: 'DOWN',
      device_id: '',
      device_owner: '',
      fixed_ips: [{ subnet_id: subnetId, ip_address: expect.stringMatching(/^10\.0\.0\.\d+$/) }],
      allowed_address_pairs: [],
      extra_dhcp_opts: [],
      security_groups: [expect.any(String)],
      port_security_enabled: true,
      dns_name: '',
      dns_assignment: [expect.objectContaining({ fqdn: expect.stringMatching(/^host-10-0-0-\d+\.openstacklocal\.$/) })],
      ip_allocation: 'immediate',
      'binding:vnic_type': 'normal',
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    })
    expect(await show(port.id)).toEqual(port)
    const changed = await setPort(port.id, { name: 'second', admin_state_up: false, dns_name: 'web' })
    expect(changed).toMatchObject({
      status: 200,
      body: { port: { name: 'second', admin_state_up: false, dns_name: 'web', revision_number: 2, fixed_ips: port.fixed_ips } },
    })
    expect((await demo('DELETE', `/ports/${port.id}`)).status).toBe(204)
    expect(await demo('GET', `/ports/${port.id}`)).toMatchObject({
      status: 404,
      type: 'PortNotFound',
      message: `Port ${port.id} could not be found.`,
    })
  })

  it('shows administrators where it is bound', async () => {
    const { id } = await makePort()
    expect(await show(id, admin)).toMatchObject({ 'binding:host_id': '', 'binding:vif_type': 'unbound', 'binding:profile': {} })
    expect(await bind(id)).toMatchObject({
      status: 200,
      body: { port: { 'binding:host_id': 'host-1', 'binding:vif_type': 'bridge' } },
    })
    expect(await show(id)).not.toHaveProperty('binding:host_id')
    expect(await setPort(id, { 'binding:host_id': 'nowhere' }, admin)).toMatchObject({ status: 400, type: 'InvalidInput' })
    expect((await setPort(id, { 'binding:host_id': 'host-1' })).status).toBe(403)
    expect(await idsOf('binding:host_id=host-1', admin)).toEqual([id])
    expect((await demo('GET', '/ports?binding:host_id=host-1')).status).toBe(400)
    expect((await setPort(id, { 'binding:host_id': '' }, admin)).body.port['binding:vif_type']).toBe('unbound')
  })

  it('is told what the DNS of its network calls it', async () => {
    const { id, fixed_ips: fixedIps } = await makePort({ dns_name: 'Web' })
    const address = fixedIps[0].ip_address as string
    const named = (name: string, domain: string) => [{ ip_address: address, hostname: name, fqdn: `${name}.${domain}.` }]
    expect(await show(id)).toMatchObject({ dns_name: 'web', dns_assignment: named('web', 'openstacklocal') })
    expect(await idsOf('dns_name=web')).toEqual([id])
    expect(await demo('PUT', `/networks/${networkId}`, { network: { dns_domain: 'example.org' } })).toMatchObject({ status: 400 })
    await demo('PUT', `/networks/${networkId}`, { network: { dns_domain: 'example.org.' } })
    expect((await show(id)).dns_assignment).toEqual(named('web', 'example.org'))
    await setPort(id, { dns_name: 'db.web.example.org.' })
    expect((await show(id)).dns_assignment).toMatchObject([{ fqdn: 'db.web.example.org.' }])
    await setPort(id, { dns_name: '' })
    const byAddress = `host-${address.replaceAll('.', '-')}`
    expect(await show(id)).toMatchObject({ dns_name: '', dns_assignment: named(byAddress, 'example.org') })
  })

  it('may be one of several made at once, all or none', async () => {
    const bulk = (...ports: unknown[]) => demo('POST', '/ports', { ports })
    const made = await bulk({ network_id: networkId, name: 'a' }, { network_id: networkId, name: 'b' })
    expect([made.status, made.body.ports.map(({ name }: { name: string }) => name)]).toEqual([201, ['a', 'b']])
    const address = [{ ip_address: '10.0.0.77' }]
    expect(
      await bulk({ network_id: networkId, fixed_ips: address }, { network_id: networkId, fixed_ips: address }),
    ).toMatchObject({ status: 409, type: 'IpAddressAlreadyAllocated' })
    expect(await idsOf('')).toHaveLength(2)
  })

  it('is found by what it has', async () => {
    const one = await makePort({ name: 'one', fixed_ips: [{ ip_address: '10.0.0.21' }], mac_address: 'FA:16:3E:00:00:21' })
    const two = await makePort({
      name: 'two',
      fixed_ips: [{ ip_address: '10.0.0.22' }],
      device_id: 'thing',
      device_owner: 'some:kind',
    })
    const group = await make('security_group', { name: 'web' })
    await setPort(two.id, { security_groups: [group] })
    const found: [string, string[]][] = [
      ['fixed_ips=ip_address=10.0.0.21', [one.id]],
      [`fixed_ips=ip_address=10.0.0.21&fixed_ips=ip_address=10.0.0.22`, [one.id, two.id]],
      [`fixed_ips=subnet_id=${subnetId}&fixed_ips=ip_address=10.0.0.22`, [two.id]],
      [`fixed_ips=subnet_id=${newId(systemRandom)}`, []],
      ['fixed_ips=ip_address_substr=0.22', [two.id]],
      ['mac_address=fa-16-3e-00-00-21', [one.id]],
      ['device_id=thing', [two.id]],
      ['device_owner=some:kind', [two.id]],
      [`network_id=${networkId}`, [one.id, two.id]],
      [`network_id=${newId(systemRandom)}`, []],
      [`security_groups=${group}`, [two.id]],
      ['status=DOWN&name=one', [one.id]],
      ['status=ACTIVE', []],
      ['admin_state_up=true', [one.id, two.id]],
      [`tenant_id=${demoProject}&name=two`, [two.id]],
    ]
    for (const [query, ids] of found) expect([query, (await idsOf(query)).toSorted()]).toEqual([query, ids.toSorted()])
    expect((await demo('GET', '/ports?fixed_ips=colour=red')).status).toBe(400)
  })

  it.each([
    [{ network_id: 'x' }, 400, undefined],
    [{ network_id: newId(systemRandom) }, 404, 'NetworkNotFound'],
    [{ mac_address: 'nonsense' }, 400, undefined],
    [{ mac_address: '00:00:00:00:00:00' }, 400, undefined],
    [{ fixed_ips: 'x' }, 400, undefined],
    [{ fixed_ips: [{ ip_address: '10.0.0.300' }] }, 400, undefined],
    [{ fixed_ips: [{ ip_address: '10.9.0.3' }] }, 400, 'InvalidIpForNetwork'],
    [{ fixed_ips: [{ subnet_id: newId(systemRandom) }] }, 400, 'InvalidInput'],
    [{ fixed_ips: [{ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.9', subnet_id: newId(systemRandom) }] }, 400, undefined],
    [{ fixed_ips: [{}] }, 400, 'InvalidInput'],
    [{ security_groups: [newId(systemRandom)] }, 404, 'SecurityGroupNotFound'],
    [{ security_groups: ['x'] }, 400, undefined],
    [{ allowed_address_pairs: [{ mac_address: 'fa:16:3e:00:00:01' }] }, 400, 'AllowedAddressPairsMissingIP'],
    [{ extra_dhcp_opts: [{ opt_name: 'a\nb', opt_value: 'c' }] }, 400, 'InvalidInput'],
    [{ 'binding:vnic_type': 'direct' }, 400, undefined],
    [{ 'binding:host_id': 'host-1' }, 403, 'PolicyNotAuthorized'],
    [{ device_owner: 'network:dhcp' }, 403, 'PolicyNotAuthorized'],
    [{ dns_name: 'not a name' }, 400, undefined],
    [{ status: 'ACTIVE' }, 400, undefined],
    [{ colour: 'red' }, 400, undefined],
    [
      { port_security_enabled: false, allowed_address_pairs: [{ ip_address: '10.0.0.5' }] },
      409,
      'AddressPairAndPortSecurityRequired',
    ],
  ])('is refused as %j', async (port, status, type) => {
    expect(await tryPort(port)).toMatchObject({ status, ...(type !== undefined && { type }), message: expect.any(String) })
    expect(await idsOf('')).toEqual([])
  })

  it('takes quota, which is exact, and gives it back', async () => {
    await api.database.execute(`UPDATE project_quotas SET limits = '{"port": 3}' WHERE project_id = $1`, [demoProject])
    const answers = await Promise.all(Array.from({ length: 8 }, () => tryPort()))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409, 409, 409])
    expect(answers.find(({ status }) => status === 409)).toMatchObject({
      type: 'OverQuota',
      message: "Quota exceeded for resources: ['port'].",
    })
    await demo('DELETE', `/ports/${answers.find(({ status }) => status === 201)!.body.port.id}`)
    expect((await tryPort()).status).toBe(201)
  })
})

describe('what a port may send and be sent', () => {
  it('is guarded by groups and allowed pairs, or by nothing', async () => {
    const open = await makePort({ port_security_enabled: false })
    expect(open).toMatchObject({ port_security_enabled: false, security_groups: [] })
    const group = await make('security_group', { name: 'web' })
    expect(await setPort(open.id, { security_groups: [group] })).toMatchObject({
      status: 400,
      type: 'PortSecurityAndIPRequiredForSecurityGroups',
    })
    const guarded = await makePort({ allowed_address_pairs: [{ ip_address: '10.1.0.0/24' }], security_groups: [group] })
    expect(guarded).toMatchObject({
      allowed_address_pairs: [{ ip_address: '10.1.0.0/24', mac_address: guarded.mac_address }],
      security_groups: [group],
    })
    const disarm = (more: Record<string, unknown>) => setPort(guarded.id, { port_security_enabled: false, ...more })
    expect(await disarm({})).toMatchObject({ status: 409, type: 'AddressPairAndPortSecurityRequired' })
    expect(await disarm({ allowed_address_pairs: [] })).toMatchObject({ status: 409, type: 'PortSecurityPortHasSecurityGroup' })
    expect((await disarm({ allowed_address_pairs: [], security_groups: [] })).status).toBe(200)
  })

  it('changes with its groups, of which the hosts hear', async () => {
    const [web, db] = [await make('security_group', { name: 'web' }), await make('security_group', { name: 'db' })]
    const { id } = await makePort({ security_groups: [web] })
    await changes()
    expect((await setPort(id, { security_groups: [web, db] })).body.port).toMatchObject({
      security_groups: [web, db].toSorted(),
      revision_number: 2,
    })
    expect(await changes()).toEqual([`network ${networkId}`, `group ${web}`, `group ${db}`].toSorted())
    expect((await setPort(id, { security_groups: [db] })).body.port.security_groups).toEqual([db])
    expect(await changes()).toEqual([`network ${networkId}`, `group ${web}`, `group ${db}`].toSorted())
    expect((await setPort(id, { security_groups: [db] })).body.port.revision_number).toBe(3)
    expect(await changes()).toEqual([])
    expect((await setPort(id, { security_groups: null })).body.port.security_groups).toEqual([])
  })

  it('does not mix stateful and stateless groups', async () => {
    const groups = [
      await make('security_group', { name: 'stateful' }),
      await make('security_group', { name: 'stateless', stateful: false }),
    ]
    expect(await tryPort({ security_groups: groups })).toMatchObject({ status: 409, type: 'SecurityGroupConflict' })
  })

  it('keeps options of DHCP by name', async () => {
    const option = (name: string, value: string | null) => ({ opt_name: name, opt_value: value })
    const { id } = await makePort({ extra_dhcp_opts: [option('mtu', '1400'), option('tftp-server', '10.0.0.2')] })
    const { port } = (await setPort(id, { extra_dhcp_opts: [option('mtu', null), option('tftp-server', '10.0.0.3')] })).body
    expect(port.extra_dhcp_opts).toEqual([{ opt_name: 'tftp-server', opt_value: '10.0.0.3', ip_version: 4 }])
  })
})

describe('addresses of a port', () => {
  it('are changed, kept where one of the subnet is wanted, and added', async () => {
    const port = await makePort({ fixed_ips: [{ ip_address: '10.0.0.10' }] })
    const set = async (...addresses: unknown[]) => addressesOf((await setPort(port.id, { fixed_ips: addresses })).body.port)
    expect(await set({ ip_address: '10.0.0.11' })).toEqual(['10.0.0.11'])
    expect(await set({ subnet_id: subnetId })).toEqual(['10.0.0.11'])
    expect(await set({ ip_address: '10.0.0.12' }, { subnet_id: subnetId })).toEqual(['10.0.0.12', '10.0.0.11'])
    expect(await set()).toEqual([])
    expect((await show(port.id)).ip_allocation).toBe('none')
    const other = await makePort({ fixed_ips: [{ ip_address: '10.0.0.12' }] })
    expect(await setPort(port.id, { fixed_ips: [{ ip_address: '10.0.0.12' }] })).toMatchObject({ status: 409 })
    expect(addressesOf(await show(other.id))).toEqual(['10.0.0.12'])
  })

  it('that a host carries are given to nobody while it does', async () => {
    const { id, security_groups: groups } = await makePort({ fixed_ips: [{ ip_address: '10.0.0.10' }] })
    await bind(id)
    await changes()
    expect(addressesOf((await setPort(id, { fixed_ips: [{ ip_address: '10.0.0.11' }] })).body.port)).toEqual(['10.0.0.11'])
    expect(await changes()).toEqual([`network ${networkId}`, `group ${groups[0]}`].toSorted())
    const again = { fixed_ips: [{ ip_address: '10.0.0.10' }] }
    expect(await tryPort(again)).toMatchObject({ status: 409, type: 'IpAddressAlreadyAllocated' })
    expect(await idsOf('')).toEqual([id])
    const [held] = await api.database.query<{ host: string }>(
      `SELECT p.host_id AS host FROM ports p JOIN port_addresses a ON a.port_id = p.id WHERE a.address = '10.0.0.10' AND p.gone_at IS NOT NULL`,
    )
    expect(held).toEqual({ host: hostId })
    // As the host's word that it carries it no more does.
    await api.database.execute('DELETE FROM ports WHERE gone_at IS NOT NULL')
    expect((await tryPort(again)).status).toBe(201)
  })

  it('follow its MAC where a subnet is of SLAAC', async () => {
    const modes = { ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' }
    await make('subnet', { network_id: networkId, ip_version: 6, cidr: '2001:db8:5::/64', ...modes })
    const port = await makePort({ mac_address: 'fa:16:3e:00:00:01' })
    expect(addressesOf(port)[1]).toBe('2001:db8:5:0:f816:3eff:fe00:1')
    const changed = (await setPort(port.id, { mac_address: 'fa:16:3e:00:00:02' })).body.port
    expect(addressesOf(changed)).toEqual([addressesOf(port)[0], '2001:db8:5:0:f816:3eff:fe00:2'])
  })

  it('run out', async () => {
    const small = await make('network', { name: 'small' })
    await make('subnet', { network_id: small, ip_version: 4, cidr: '10.7.0.0/29', enable_dhcp: false })
    const answers = await Promise.all(Array.from({ length: 9 }, () => tryPort({ network_id: small })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(answers.find(({ status }) => status === 409)).toMatchObject({
      type: 'IpAddressGenerationFailure',
      message: `No more IP addresses available on network ${small}.`,
    })
  })
})

describe('a port in use', () => {
  it('keeps its MAC while a host carries it', async () => {
    const [one, two] = [await makePort({ mac_address: 'fa:16:3e:00:00:01' }), await makePort()]
    expect(await setPort(two.id, { mac_address: 'fa:16:3e:00:00:01' })).toMatchObject({ status: 409, type: 'MacAddressInUse' })
    expect((await setPort(one.id, { mac_address: 'fa:16:3e:00:00:03' })).status).toBe(200)
    await bind(one.id)
    expect(await setPort(one.id, { mac_address: 'fa:16:3e:00:00:04' })).toMatchObject({ status: 409, type: 'PortBound' })
    expect(await setPort(one.id, { device_id: 'thing' })).toMatchObject({ status: 409, type: 'PortInUse' })
    expect((await setPort(one.id, { mac_address: 'fa:16:3e:00:00:03', name: 'same' })).status).toBe(200)
  })

  it('is gone for its tenant when it is deleted, wherever one looks', async () => {
    const port = await makePort({ fixed_ips: [{ ip_address: '10.0.0.10' }] })
    const [group] = port.security_groups
    await bind(port.id)
    await changes()
    expect((await demo('DELETE', `/ports/${port.id}`)).status).toBe(204)
    expect(await changes()).toEqual([`network ${networkId}`, `group ${group}`, `host ${hostId}`].toSorted())
    expect((await demo('GET', `/ports/${port.id}`)).status).toBe(404)
    expect((await setPort(port.id, { name: 'again' })).status).toBe(404)
    expect((await demo('DELETE', `/ports/${port.id}`)).status).toBe(404)
    expect((await demo('PUT', `/ports/${port.id}/tags/red`)).status).toBe(404)
    expect(await idsOf('')).toEqual([])
    expect(await idsOf(`fixed_ips=ip_address=10.0.0.10`, admin)).toEqual([])
    expect(await tryPort({ fixed_ips: [{ ip_address: '10.0.0.10' }] })).toMatchObject({ status: 409 })
    expect((await admin('DELETE', `/security-groups/${group}`)).status).toBe(204)
  })

  it('of a router, or of the network’s own DHCP, is not deleted by itself', async () => {
    const router = newId(systemRandom)
    await api.database.execute('INSERT INTO routers (id, project_id) VALUES ($1, $2)', [router, demoProject])
    const { id } = await makePort({ device_id: router, device_owner: 'network:router_interface' }, admin)
    expect(await admin('DELETE', `/ports/${id}`)).toMatchObject({
      status: 409,
      type: 'ServicePortInUse',
      message: `Port ${id} cannot be deleted directly via the port API: has device owner network:router_interface.`,
    })
    expect(await admin('PUT', `/ports/${id}`, { port: { fixed_ips: [] } })).toMatchObject({ status: 400, type: 'BadRequest' })
    await api.database.execute('DELETE FROM routers')
    expect((await admin('DELETE', `/ports/${id}`)).status).toBe(204)
    await make('subnet', { network_id: networkId, ip_version: 4, cidr: '10.2.0.0/24' })
    const [dhcp] = await idsOf('device_owner=network:dhcp')
    expect(await demo('DELETE', `/ports/${dhcp}`)).toMatchObject({ status: 409, type: 'ServicePortInUse' })
  })

  it('names no server, and no device of another project', async () => {
    const server = await addServer(api.database, hostId as never, { memoryMiB: 96 })
    const stolen = { device_id: server, device_owner: 'compute:nova' }
    expect(await tryPort(stolen)).toMatchObject({ status: 409, type: 'DeviceIDNotOwnedByTenant' })
    await api.database.execute('UPDATE servers SET project_id = $1', [demoProject])
    expect(await tryPort(stolen)).toMatchObject({ status: 409, message: expect.stringContaining('os-interface') })
    const { id } = await makePort()
    expect((await setPort(id, stolen)).status).toBe(409)
    await api.database.execute(`UPDATE ports SET device_id = $2, device_owner = 'compute:nova' WHERE id = $1`, [id, server])
    expect(await setPort(id, { device_id: '' })).toMatchObject({ status: 409, type: 'PortInUse' })
    expect((await setPort(id, { name: 'mine' })).status).toBe(200)
  })
})

describe('a port in another project’s network', () => {
  it('is not to be had where the network is not shared', async () => {
    const theirs = await make('network', { name: 'private' }, admin)
    expect(await tryPort({ network_id: theirs })).toMatchObject({ status: 404, type: 'NetworkNotFound' })
    const outside = await make('network', { name: 'outside', 'router:external': true }, admin)
    expect(await tryPort({ network_id: outside })).toMatchObject({
      status: 403,
      message: 'rule:create_port is disallowed by policy',
    })
  })

  it('takes what it is given, and may not choose', async () => {
    const shared = await make('network', { name: 'shared', shared: true }, admin)
    const pool = await make('subnet', { network_id: shared, ip_version: 4, cidr: '10.3.0.0/24' }, admin)
    const denied: [Record<string, unknown>, string][] = [
      [{ fixed_ips: [{ ip_address: '10.3.0.9' }] }, 'fixed_ips:ip_address'],
      [{ mac_address: 'fa:16:3e:00:00:09' }, 'mac_address'],
      [{ port_security_enabled: false }, 'port_security_enabled'],
      [{ allowed_address_pairs: [{ ip_address: '10.3.0.0/24' }] }, 'allowed_address_pairs'],
      [{ device_owner: 'network:other' }, 'device_owner'],
    ]
    for (const [port, attribute] of denied)
      expect(await tryPort({ network_id: shared, ...port })).toMatchObject({
        status: 403,
        message: `rule:create_port:${attribute} is disallowed by policy`,
      })
    const port = await makePort({ network_id: shared, fixed_ips: [{ subnet_id: pool }] })
    for (const [change, attribute] of denied)
      expect(await setPort(port.id, change)).toMatchObject({
        status: 403,
        message: `rule:update_port:${attribute} is disallowed by policy`,
      })
    const same = { fixed_ips: port.fixed_ips, mac_address: port.mac_address, port_security_enabled: true, name: 'mine' }
    expect((await setPort(port.id, same)).status).toBe(200)
  })

  it('is seen and removed, not changed, by whose network it is', async () => {
    await admin('PUT', `/networks/${networkId}`, { network: { shared: true } })
    const other = networkRequests(api, await api.signer.sign(stranger()))
    const port = await makePort({}, other)
    expect((await show(port.id)).project_id).toBe('stranger')
    expect((await setPort(port.id, { name: 'taken' })).status).toBe(404)
    const mine = await makePort()
    expect((await other('GET', `/ports/${mine.id}`)).status).toBe(404)
    expect((await other('DELETE', `/ports/${mine.id}`)).status).toBe(404)
    expect((await demo('DELETE', `/ports/${port.id}`)).status).toBe(204)
  })
})

it('ports come and go side by side without standing in each other’s way', async () => {
  const rounds = Array.from({ length: 6 }, async (_, n) => {
    const group = await make('security_group', { name: `g${n}` })
    for (let round = 0; round < 3; round++) {
      const made = await demo('POST', '/ports', {
        ports: [{ network_id: networkId, security_groups: [group] }, { network_id: networkId }],
      })
      const ids = made.body.ports.map(({ id }: { id: string }) => id)
      const done = await Promise.all([
        setPort(ids[1], { security_groups: [group] }),
        setPort(ids[0], { fixed_ips: [{ subnet_id: subnetId }, { subnet_id: subnetId }] }),
        demo('PUT', `/networks/${networkId}`, { network: { description: `${n} ${round}` } }),
      ])
      expect(done.map(({ status }) => status)).toEqual([200, 200, 200])
      const gone = await Promise.all(ids.map((id: string) => demo('DELETE', `/ports/${id}`)))
      expect(gone.map(({ status }) => status)).toEqual([204, 204])
    }
  })
  await Promise.all(rounds)
  const [left] = await api.database.query(
    `SELECT (SELECT count(*) FROM ports) AS ports, (SELECT count(*) FROM port_addresses) AS addresses, used_ports AS used
     FROM project_quotas WHERE project_id = $1`,
    [demoProject],
  )
  expect(left).toEqual({ ports: 0, addresses: 0, used: 0 })
})

/** A member of a project of its own. */
function stranger(): Caller {
  return {
    userId: 'stranger' as UserId,
    userName: 'stranger',
    userDomainId: 'default' as DomainId,
    scope: {
      kind: 'project',
      projectId: 'stranger' as ProjectId,
      projectName: 'stranger',
      projectDomainId: 'default' as DomainId,
    },
    roles: ['member', 'reader'],
    methods: ['password'],
    auditId: 'stranger',
    parentAuditId: undefined,
    issuedAtMs: Date.now(),
    expiresAtMs: Date.now() + 600_000,
  }
}
