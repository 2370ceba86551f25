import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { newId, systemRandom } from '@nubo/kernel'
import { addHost } from '../../testing/hosts.js'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let demoProject: string

beforeAll(async () => {
  ;({ api, admin, demo, demoProject } = await startNetworkApi())
})
beforeEach(() => api.database.execute('TRUNCATE networks, network_changes, project_quotas CASCADE'))
afterAll(() => api?.stop())

const make = async (network: Record<string, unknown> = {}, by = demo) => (await by('POST', '/networks', { network })).body.network
const names = async (query: string, by = demo) =>
  (await by('GET', `/networks?${query}`)).body.networks.map(({ name }: { name: string }) => name)

describe('a network', () => {
  it('is made with what Neutron gives it, shown, changed and deleted', async () => {
    const made = await demo('POST', '/networks', { network: { name: 'net' } })
    expect(made.status).toBe(201)
    const { network } = made.body
    expect(network).toEqual({
      id: expect.any(String),
      name: 'net',
      description: '',
      tenant_id: demoProject,
      project_id: demoProject,
      admin_state_up: true,
      status: 'ACTIVE',
      mtu: 1450,
      subnets: [],
      shared: false,
      'router:external': false,
      is_default: false,
      port_security_enabled: true,
      dns_domain: '',
      availability_zone_hints: [],
      availability_zones: ['nova'],
      ipv4_address_scope: null,
      ipv6_address_scope: null,
      tags: [],
      revision_number: 1,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      updated_at: expect.any(String),
    })
    expect((await demo('GET', `/networks/${network.id}`)).body).toEqual({ network })
    const changed = await demo('PUT', `/networks/${network.id}`, { network: { name: 'other', admin_state_up: 'False' } })
    expect(changed).toMatchObject({
      status: 200,
      body: { network: { name: 'other', admin_state_up: false, revision_number: 2 } },
    })
    expect(await api.database.query('SELECT subject, subject_id FROM network_changes')).toEqual([
      { subject: 'network', subject_id: network.id },
    ])
    expect((await demo('DELETE', `/networks/${network.id}`)).status).toBe(204)
    expect(await demo('GET', `/networks/${network.id}`)).toMatchObject({
      status: 404,
      type: 'NetworkNotFound',
      message: `Network ${network.id} could not be found.`,
    })
  })

  it('is one of several made at once, all or none', async () => {
    const made = await demo('POST', '/networks', { networks: [{ name: 'a' }, { name: 'b' }] })
    expect([made.status, made.body.networks.map(({ name }: { name: string }) => name)]).toEqual([201, ['a', 'b']])
    const refused = await demo('POST', '/networks', { networks: [{ name: 'c' }, { mtu: 9000 }] })
    expect(refused).toMatchObject({ status: 400, type: 'InvalidInput' })
    expect((await names('sort_key=name&sort_dir=asc')).join()).toBe('a,b')
  })

  it('is changed only at the revision that is named, where one is', async () => {
    const { id } = await make()
    const change = (revision: string) => demo('PUT', `/networks/${id}`, { network: { name: revision } }, { 'if-match': revision })
    expect(await change('revision_number=1')).toMatchObject({ status: 200 })
    expect(await change('revision_number=1')).toMatchObject({ status: 412, type: 'RevisionNumberConstraintFailed' })
    expect(await change('"revision_number=2"')).toMatchObject({ status: 200 })
    expect(await change('*')).toMatchObject({ status: 200 })
    for (const bad of ['revision_number=x', 'revision_number=4, revision_number=5'])
      expect(await change(bad)).toMatchObject({ status: 400, type: 'BadRequest' })
    const removed = await demo('DELETE', `/networks/${id}`, undefined, { 'if-match': 'revision_number=1' })
    expect(removed).toMatchObject({ status: 412, message: 'Constrained to 1, but current revision is 4' })
  })

  it('is in a zone that there is', async () => {
    expect((await make({ availability_zone_hints: ['nova'] })).availability_zone_hints).toEqual(['nova'])
    expect(await demo('POST', '/networks', { network: { availability_zone_hints: ['mars'] } })).toMatchObject({
      status: 404,
      type: 'AvailabilityZoneNotFound',
      message: 'AvailabilityZone mars could not be found.',
    })
  })

  it('is not deleted while there are ports', async () => {
    const { id } = await make()
    await api.database.execute(`INSERT INTO ports (id, network_id, project_id, mac) VALUES ($1, $2, 'p', 'm')`, [
      newId(systemRandom),
      id,
    ])
    expect(await demo('DELETE', `/networks/${id}`)).toMatchObject({ status: 409, type: 'NetworkInUse' })
    const host = await addHost(api.database, { name: 'host-1' })
    await api.database.execute('UPDATE ports SET gone_at = clock_timestamp(), host_id = $1', [host])
    await api.database.execute('DELETE FROM network_changes')
    expect((await demo('DELETE', `/networks/${id}`)).status).toBe(204)
    expect(await api.database.query('SELECT subject FROM network_changes')).toEqual([{ subject: 'host' }])
  })

  it.each([
    [{ nam: 'x' }, "Unrecognized attribute(s) 'nam'"],
    [{ id: 'x' }, "Attribute 'id' not allowed in POST"],
    [{ name: 5 }, "Invalid input for name. Reason: '5' is not a valid string."],
    [{ name: 'x'.repeat(256) }, `Invalid input for name. Reason: '${'x'.repeat(256)}' exceeds maximum length of 255.`],
    [{ admin_state_up: 'maybe' }, "Invalid input for admin_state_up. Reason: 'maybe' cannot be converted to boolean."],
    [{ mtu: 67 }, "Invalid input for mtu. Reason: 67 is too small - must be at least '68'."],
    [{ mtu: 1451 }, 'Invalid input for operation: Requested MTU is too big, maximum is 1450.'],
    [{ tenant_id: 'other' }, expect.stringContaining('requires admin privileges')],
  ])('is refused as %j', async (network, message) => {
    expect(await demo('POST', '/networks', { network })).toMatchObject({ status: 400, message })
  })

  it('has attributes that only operators set and see', async () => {
    for (const network of [{ shared: true }, { 'router:external': true }, { 'provider:network_type': 'vxlan' }])
      expect(await demo('POST', '/networks', { network })).toMatchObject({
        status: 403,
        type: 'PolicyNotAuthorized',
        message: `rule:create_network:${Object.keys(network)[0]} is disallowed by policy`,
      })
    const made = await make({ 'provider:network_type': 'vxlan', 'provider:segmentation_id': 77, tenant_id: demoProject }, admin)
    expect(made).toMatchObject({ 'provider:segmentation_id': 77, 'provider:network_type': 'vxlan', project_id: demoProject })
    expect((await demo('GET', `/networks/${made.id}`)).body.network).not.toHaveProperty('provider:segmentation_id')
    const again = { network: { 'provider:network_type': 'vxlan', 'provider:segmentation_id': 77 } }
    expect(await admin('POST', '/networks', again)).toMatchObject({ status: 409, type: 'TunnelIdInUse' })
    expect((await demo('PUT', `/networks/${made.id}`, { network: { shared: true } })).status).toBe(403)
  })

  it('may be flat on a device of hosts, once', async () => {
    const network = { 'provider:network_type': 'flat', 'provider:physical_network': 'outside', 'router:external': true }
    expect(await make(network, admin)).toMatchObject({ mtu: 1500, 'provider:segmentation_id': null })
    expect(await admin('POST', '/networks', { network })).toMatchObject({ status: 409, type: 'FlatNetworkInUse' })
  })

  it('takes quota, which is exact', async () => {
    await api.database.execute(`INSERT INTO project_quotas (project_id, limits) VALUES ($1, '{"network": 3}')`, [demoProject])
    const answers = await Promise.all(Array.from({ length: 8 }, () => demo('POST', '/networks', { network: {} })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 409, 409, 409, 409, 409])
    expect(answers.find(({ status }) => status === 409)).toMatchObject({
      type: 'OverQuota',
      message: "Quota exceeded for resources: ['network'].",
    })
    const { id } = answers.find(({ status }) => status === 201)!.body.network
    await demo('DELETE', `/networks/${id}`)
    expect((await demo('POST', '/networks', { network: {} })).status).toBe(201)
  })
})

it('many at once that there is no quota for are refused before one is made', async () => {
  const vni = async () => (await api.database.query('SELECT last_value FROM network_vni'))[0]
  await make()
  const before = await vni()
  const many = { networks: Array.from({ length: 100 }, () => ({})) }
  expect(await demo('POST', '/networks', many)).toMatchObject({ status: 409, type: 'OverQuota' })
  expect(await vni()).toEqual(before)
})

describe("another project's network", () => {
  it('is not there, unless it is shared, and is changed by its owner alone', async () => {
    const { id } = await make({ name: 'private' }, admin)
    const shared = await make({ name: 'common', shared: true }, admin)
    const external = await make({ name: 'outside', 'router:external': true }, admin)
    expect(await demo('GET', `/networks/${id}`)).toMatchObject({ status: 404, type: 'NetworkNotFound' })
    expect(await demo('DELETE', `/networks/${id}`)).toMatchObject({ status: 404, type: 'NetworkNotFound' })
    expect(await names('sort_key=name&sort_dir=asc')).toEqual(['common', 'outside'])
    expect(await names('shared=true')).toEqual(['common'])
    expect(await names('router:external=1')).toEqual(['outside'])
    for (const each of [shared, external])
      expect(await demo('PUT', `/networks/${each.id}`, { network: { name: 'mine' } })).toMatchObject({
        status: 404,
        type: 'HTTPNotFound',
      })
    await admin('PUT', `/networks/${shared.id}`, { network: { shared: false } })
    expect(await names('')).toEqual(['outside'])
  })
})

describe('a list', () => {
  beforeEach(async () => {
    const networks = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, description: name < 'd' ? 'first' : 'second' }))
    await demo('POST', '/networks', { networks })
  })

  it('is filtered by attributes, each with one or several values', async () => {
    expect(await names('name=b&name=d&sort_key=name&sort_dir=asc')).toEqual(['b', 'd'])
    expect(await names('name=b&name=d&description=second')).toEqual(['d'])
    expect(await names('name=a&status=ACTIVE')).toEqual(['a'])
    expect(await names('status=DOWN')).toEqual([])
    expect(await names('id=nonsense')).toEqual([])
    expect(await names('admin_state_up=False')).toEqual([])
    expect(await names(`tenant_id=${demoProject}&name=a`)).toEqual(['a'])
    expect(await demo('GET', '/networks?colour=red')).toMatchObject({
      status: 400,
      message: "['colour'] is invalid attribute for filtering",
    })
    expect((await demo('GET', '/networks?admin_state_up=x')).status).toBe(400)
    expect((await demo('GET', '/networks?provider:segmentation_id=1')).status).toBe(400)
  })

  it('shows the fields that are asked for', async () => {
    expect((await demo('GET', '/networks?name=a&fields=name&fields=mtu')).body).toEqual({ networks: [{ name: 'a', mtu: 1450 }] })
  })

  it('is sorted by several keys', async () => {
    expect(await names('sort_key=description&sort_dir=desc&sort_key=name&sort_dir=asc')).toEqual(['d', 'e', 'a', 'b', 'c'])
    for (const query of [
      'sort_key=name&sort_dir=up',
      'sort_key=colour',
      'sort_key=name&sort_key=id&sort_dir=asc',
      'sort_key=name',
    ])
      expect((await demo('GET', `/networks?${query}`)).status).toBe(400)
  })

  it('comes in pages, forwards and backwards, with links', async () => {
    const page = async (path: string) => {
      const { body } = await demo('GET', path)
      const links = Object.fromEntries(
        (body.networks_links ?? []).map(({ rel, href }: { rel: string; href: string }) => [rel, href.split('/v2.0')[1]]),
      )
      const found = body.networks.map(({ name }: { name: string }) => name)
      return { found, next: links['next'] as string, previous: links['previous'] as string }
    }
    const first = await page('/networks?limit=2&sort_key=name&sort_dir=asc')
    expect(first.found).toEqual(['a', 'b'])
    const second = await page(first.next)
    expect(second.found).toEqual(['c', 'd'])
    const third = await page(second.next)
    expect([third.found, third.next]).toEqual([['e'], undefined])
    expect((await page(third.previous)).found).toEqual(['c', 'd'])
    expect(await page('/networks?limit=9&page_reverse=False')).toMatchObject({ next: undefined })
    expect((await page('/networks?limit=2&sort_key=name&sort_dir=desc&page_reverse=true')).found).toEqual(['b', 'a'])
    expect(await demo('GET', '/networks?limit=x')).toMatchObject({ status: 400, type: 'BadRequest' })
    expect(await demo('GET', `/networks?marker=${newId(systemRandom)}`)).toMatchObject({ status: 404, type: 'NetworkNotFound' })
  })

  it('goes on behind a marker that is none of those that are asked for', async () => {
    const [{ id }] = (await demo('GET', '/networks?name=c')).body.networks
    expect(await names(`description=second&sort_key=name&sort_dir=asc&limit=5&marker=${id}`)).toEqual(['d', 'e'])
    expect(await names(`name=b&name=e&sort_key=name&sort_dir=asc&limit=5&page_reverse=True&marker=${id}`)).toEqual(['b'])
  })

  it('is filtered by tags', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (name) => (await demo('GET', `/networks?name=${name}`)).body.networks[0].id),
    )
    expect((await demo('PUT', `/networks/${a}/tags`, { tags: ['red', 'blue'] })).body).toEqual({ tags: ['red', 'blue'] })
    expect((await demo('PUT', `/networks/${b}/tags/red`)).status).toBe(201)
    expect(await names('tags=red,blue')).toEqual(['a'])
    expect(await names('tags-any=red,blue&sort_key=name&sort_dir=asc')).toEqual(['a', 'b'])
    expect(await names('not-tags=red,blue&sort_key=name&sort_dir=asc')).toEqual(['b', 'c', 'd', 'e'])
    expect(await names('not-tags-any=red,blue&sort_key=name&sort_dir=asc')).toEqual(['c', 'd', 'e'])
    expect((await demo('GET', `/networks/${a}/tags/red`)).status).toBe(204)
    expect((await demo('DELETE', `/networks/${a}/tags/red`)).status).toBe(204)
    expect(await demo('GET', `/networks/${a}/tags/red`)).toMatchObject({ status: 404, type: 'TagNotFound' })
    const many = Array.from({ length: 50 }, (_, index) => String(index))
    expect((await demo('PUT', `/networks/${a}/tags`, { tags: many })).body.tags).toHaveLength(50)
    for (const [path, body] of [
      ['tags', { tags: [...many, 'one more'] }],
      ['tags/one-more', undefined],
    ] as const)
      expect(await demo('PUT', `/networks/${a}/${path}`, body)).toMatchObject({
        status: 400,
        type: 'BadRequest',
        message: 'Bad network request: The number of tags exceed the per-resource limit of 50.',
      })
    expect((await demo('DELETE', `/networks/${a}/tags`)).status).toBe(204)
    expect((await demo('GET', `/networks/${a}`)).body.network).toMatchObject({ tags: [], revision_number: 5 })
  })
})

it('tells its versions at its own root, and errors in its own form', async () => {
  const root = await api.send('GET', '/network/')
  expect(root.json().versions[0]).toMatchObject({ id: 'v2.0', links: [{ href: 'http://cloud.example:8774/network/v2.0/' }] })
  const shown = await api.send('GET', '/network/v2.0/')
  expect(shown.json().resources[0].links[0].href).toBe('http://cloud.example:8774/network/v2.0/networks')
  expect(await demo('GET', '/nonsense')).toMatchObject({ status: 404, type: 'HTTPNotFound' })
  expect(await demo('POST', '/networks', '{"broken')).toMatchObject({ status: 400 })
  expect(await demo('POST', '/networks', { nothing: {} })).toMatchObject({
    status: 400,
    message: "Unable to find 'network' in request body",
  })
})
