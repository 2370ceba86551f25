import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { startNetworkApi, type NetworkRequests } from '../../testing/network-requests.js'
import type { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: NetworkRequests
let demo: NetworkRequests
let projects: Record<string, string>
let networkId: string

beforeAll(async () => {
  ;({ api, admin, demo, projects } = await startNetworkApi())
})
beforeEach(async () => {
  await api.database.execute('TRUNCATE networks, subnets, ports, project_quotas CASCADE')
  networkId = (await admin('POST', '/networks', { network: { name: 'lent' } })).body.network.id
})
afterAll(() => api?.stop())

const share = (more: Record<string, unknown> = {}, by = admin) =>
  by('POST', '/rbac-policies', {
    rbac_policy: {
      object_type: 'network',
      object_id: networkId,
      action: 'access_as_shared',
      target_tenant: projects['demo'],
      ...more,
    },
  })
const seen = async () => (await demo('GET', '/networks')).body.networks.map(({ shared }: { shared: boolean }) => shared)

describe('a share', () => {
  it('lets another project use a network, until it is taken back', async () => {
    expect(await seen()).toEqual([])
    const made = await share()
    expect(made).toMatchObject({
      status: 201,
      body: { rbac_policy: { object_type: 'network', object_id: networkId, target_tenant: projects['demo'] } },
    })
    const { id } = made.body.rbac_policy
    expect(await seen()).toEqual([true])
    const listed = async (query: string) => (await demo('GET', `/rbac-policies?${query}`)).body.rbac_policies
    expect(await listed('object_type=network&action=access_as_shared')).toMatchObject([{ object_type: 'network' }])
    expect(await listed('object_type=qos_policy')).toEqual([])
    expect((await demo('DELETE', `/rbac-policies/${id}`)).status).toBe(404)
    const port = `INSERT INTO ports (id, network_id, project_id, mac) VALUES (gen_random_uuid(), $1, $2, 'm')`
    await api.database.execute(port, [networkId, projects['demo']])
    expect(await admin('DELETE', `/rbac-policies/${id}`)).toMatchObject({ status: 409, type: 'RbacPolicyInUse' })
    const away = { rbac_policy: { target_tenant: 'somebody' } }
    expect(await admin('PUT', `/rbac-policies/${id}`, away)).toMatchObject({ status: 409, type: 'RbacPolicyInUse' })
    await api.database.execute('DELETE FROM ports')
    expect((await admin('PUT', `/rbac-policies/${id}`, away)).body.rbac_policy.target_tenant).toBe('somebody')
    expect(await seen()).toEqual([])
    expect((await admin('DELETE', `/rbac-policies/${id}`)).status).toBe(204)
  })

  it('is made of what is one’s own, and with everybody by operators', async () => {
    expect(await share({}, demo)).toMatchObject({ status: 404, type: 'NetworkNotFound' })
    await share()
    expect(await share({ target_tenant: 'x' }, demo)).toMatchObject({ status: 400, type: 'InvalidInput' })
    expect(await share()).toMatchObject({ status: 409, type: 'DuplicatePolicyError' })
    const own = (await demo('POST', '/networks', { network: {} })).body.network.id
    expect((await share({ object_id: own, target_tenant: '*' }, demo)).status).toBe(403)
    expect((await share({ object_id: own, action: 'access_as_external' }, demo)).status).toBe(403)
    expect((await share({ object_id: own, target_tenant: projects['admin'] }, demo)).status).toBe(201)
    expect((await share({ object_type: 'qos_policy' })).status).toBe(400)
  })

  it('with everybody is what makes a network shared', async () => {
    await share({ target_tenant: '*' })
    expect((await admin('GET', `/networks/${networkId}`)).body.network.shared).toBe(true)
    expect((await admin('PUT', `/networks/${networkId}`, { network: { shared: false } })).body.network.shared).toBe(false)
    expect((await admin('GET', '/rbac-policies')).body.rbac_policies).toEqual([])
    const [use] = await api.database.query('SELECT used_network_shares AS used FROM project_quotas')
    expect(use).toEqual({ used: 0 })
  })
})

describe('limits', () => {
  const path = () => `/quotas/${projects['demo']}`

  it('are shown with their use, changed, and left to the defaults', async () => {
    expect((await demo('GET', path())).body.quota).toMatchObject({ network: 100, port: 500, subnetpool: -1, rbac_policy: 10 })
    expect((await admin('PUT', path(), { quota: { network: '7', port: -1 } })).body.quota).toMatchObject({ network: 7, port: -1 })
    await demo('POST', '/networks', { network: {} })
    expect((await demo('GET', `${path()}/details.json`)).body.quota.network).toEqual({ limit: 7, used: 1, reserved: 0 })
    expect((await demo('GET', `${path()}/default`)).body.quota.network).toBe(100)
    expect((await admin('GET', '/quotas')).body.quotas).toMatchObject([{ project_id: projects['demo'], network: 7 }])
    expect((await admin('DELETE', path())).status).toBe(204)
    expect((await demo('GET', path())).body.quota.network).toBe(100)
  })

  it('are apart from those of compute', async () => {
    const compute = (method: string, body?: unknown) => async () =>
      api.send(method, `/v2.1/os-quota-sets/${projects['demo']}`, { token: await api.admin(), body })
    await admin('PUT', path(), { quota: { network: 7 } })
    await compute('PUT', { quota_set: { cores: 3 } })()
    expect((await compute('GET')()).json().quota_set).not.toHaveProperty('undefined')
    await compute('DELETE')()
    expect((await demo('GET', path())).body.quota.network).toBe(7)
    await compute('PUT', { quota_set: { cores: 3 } })()
    await admin('DELETE', path())
    expect((await compute('GET')()).json().quota_set.cores).toBe(3)
  })

  it('are numbers of what is there', async () => {
    expect(await admin('PUT', path(), { quota: { dragons: 7 } })).toMatchObject({
      status: 400,
      message: "Unrecognized attribute(s) 'dragons'",
    })
    for (const network of [-2, 'many', 2 ** 40]) expect((await admin('PUT', path(), { quota: { network } })).status).toBe(400)
    expect((await demo('PUT', path(), { quota: { network: 7 } })).status).toBe(403)
    expect((await demo('GET', `/quotas/${projects['admin']}`)).status).toBe(403)
  })
})

it('says what it can do, in which zones, and who carries it', async () => {
  const { extensions } = (await demo('GET', '/extensions')).body
  expect(extensions.map(({ alias }: { alias: string }) => alias)).toEqual(expect.arrayContaining(['router', 'external-net']))
  expect((await demo('GET', '/extensions/quotas')).body.extension.alias).toBe('quotas')
  expect((await demo('GET', '/extensions/trunk')).status).toBe(404)
  expect((await demo('GET', '/availability_zones?resource=router')).body.availability_zones).toMatchObject([{ name: 'nova' }])
  expect((await admin('GET', '/agents')).body).toEqual({ agents: [] })
  expect((await demo('GET', '/agents')).body).toEqual({ agents: [] })
  const aliases = async (query: string) =>
    (await demo('GET', `/extensions?${query}`)).body.extensions.map(({ alias }: { alias: string }) => alias)
  const all = await aliases('sort_key=alias&sort_dir=desc')
  expect(all).toEqual(
    extensions
      .map(({ alias }: { alias: string }) => alias)
      .toSorted()
      .toReversed(),
  )
  expect(await aliases('sort_key=alias&sort_dir=desc&limit=2')).toEqual(all.slice(0, 2))
  expect(await aliases(`sort_key=alias&sort_dir=desc&limit=2&marker=${all[1]}`)).toEqual(all.slice(2, 4))
  expect(await aliases(`sort_key=alias&sort_dir=desc&limit=2&marker=${all[4]}&page_reverse=True`)).toEqual(all.slice(2, 4))
  expect(await admin('GET', `/agents/${networkId}`)).toMatchObject({ status: 404, type: 'AgentNotFound' })
})
