import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { insertServer } from '@nubo/database/testing'
import { servedRoutes, type ServedRoute } from '@nubo/service-kit'
import { networkRequests } from './testing/network-requests.js'
import { demoPassword, onProject, TestApi } from './testing/test-api.js'

// Promise 10 at the API: whatever a stranger asks of whatever is demo's, by its real ids, nothing is shown and nothing moves.

let api: TestApi
let stranger: string
let routes: readonly ServedRoute[]
let demo: { userId: string; projectId: string; serverId: string; keyName: string; requestId: string; flavorId: string }
/** Of what demo has of networks, by the place of its routes. */
let demosNetworks: Record<string, string>

beforeAll(async () => {
  api = await TestApi.start()
  routes = servedRoutes(api.app).filter(({ method, declaration }) => method !== 'HEAD' && !declaration.public)
  const admin = await api.admin()
  const post = async (path: string, body: unknown) => (await api.send('POST', path, { token: admin, body })).json()
  await post('/v3/projects', { project: { name: 'strange' } })
  const { user } = await post('/v3/users', { user: { name: 'stranger', password: 'stranger-secret' } })
  const [project] = (await api.send('GET', '/v3/projects?name=strange', { token: admin })).json().projects
  const [role] = (await api.send('GET', '/v3/roles?name=manager', { token: admin })).json().roles
  await api.send('PUT', `/v3/projects/${project.id}/users/${user.id}/roles/${role.id}`, { token: admin })
  stranger = await api.login('stranger', 'stranger-secret', onProject('strange'))
  demo = await makeDemosThings()
  demosNetworks = await makeDemosNetworks()
})
afterAll(() => api.stop())

async function makeDemosThings() {
  const token = await api.login('demo', demoPassword, onProject('demo'))
  const { project, user } = (await api.send('GET', '/v3/auth/tokens', { token, headers: { 'x-subject-token': token } })).json()
    .token
  const keyName = 'demos-key'
  const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1tPbT5Kxk0bQz1b0R4rP7o3yq9o2o3k5m6n7p8q9rs demo'
  await api.database.execute(`INSERT INTO keypairs (user_id, name, public_key, fingerprint) VALUES ($1, $2, $3, 'aa:bb')`, [
    user.id,
    keyName,
    publicKey,
  ])
  await api.database.execute(
    `INSERT INTO flavors (id, name, vcpus, memory_mib, disk_gib, public) VALUES ('demos-flavor', 'demos-flavor', 1, 96, 1, false)`,
  )
  await api.database.execute(`INSERT INTO flavor_access (flavor_id, project_id) VALUES ('demos-flavor', $1)`, [project.id])
  const serverRow = { userId: user.id, name: 'demos-server', memoryMiB: 96, diskGiB: 1, metadata: { demos: 'metadata' } }
  const serverId = await insertServer(api.database, project.id, serverRow)
  await api.database.execute(`INSERT INTO guest_passwords (server_id, incarnation, password) VALUES ($1, 0, 'demos-password')`, [
    serverId,
  ])
  const requestId = 'req-aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'
  await api.database.execute(
    `INSERT INTO operations (id, kind, server_id, project_id, user_id, request_id, state)
     VALUES (gen_random_uuid(), 'server.create', $1, $2, $3, $4, 'done')`,
    [serverId, project.id, user.id, requestId],
  )
  await api.database.execute(
    `INSERT INTO placement_decisions (server_id, operation_id, decision) SELECT $1, id, '{}' FROM operations WHERE server_id = $1`,
    [serverId],
  )
  return { userId: user.id, projectId: project.id, serverId: serverId, keyName, requestId, flavorId: 'demos-flavor' }
}

async function makeDemosNetworks(): Promise<Record<string, string>> {
  const request = networkRequests(api, await api.demo())
  const make = async (singular: string, body: Record<string, unknown>) =>
    (await request('POST', `/${singular.replaceAll('_', '-')}s`, { [singular]: body })).body[singular].id as string
  const networkId = await make('network', { name: 'demos-network', description: 'demos-description' })
  const groupId = await make('security_group', { name: 'demos-group', description: 'demos-description' })
  const rule = { security_group_id: groupId, direction: 'ingress', description: 'demos-description' }
  const share = async (id: string) => {
    const wanted = { object_type: 'network', object_id: id, action: 'access_as_shared', target_tenant: 'a-friend' }
    return (await request('POST', '/rbac-policies', { rbac_policy: wanted })).body.rbac_policy.id as string
  }
  const admin = networkRequests(api, await api.admin())
  const { network } = (await admin('POST', '/networks', { network: { 'router:external': true } })).body
  const outside = { network_id: network.id, ip_version: 4, cidr: '203.0.113.0/24', enable_dhcp: false }
  await admin('POST', '/subnets', { subnet: outside })
  return {
    networks: networkId,
    subnets: await make('subnet', { name: 'demos-subnet', network_id: networkId, ip_version: 4, cidr: '10.9.8.0/24' }),
    subnetpools: await make('subnetpool', { name: 'demos-pool', prefixes: ['10.9.0.0/16'] }),
    ports: await make('port', { name: 'demos-port', network_id: networkId }),
    'security-groups': groupId,
    'security-group-rules': await make('security_group_rule', rule),
    'rbac-policies': await share(networkId),
    routers: await make('router', { name: 'demos-router', external_gateway_info: { network_id: network.id } }),
    floatingips: await make('floatingip', { floating_network_id: network.id }),
  }
}

/** `url` with demo's own ids where it takes ids. */
function ofDemo(url: string): string {
  const ids: Record<string, string> = {
    project_id: demo.projectId,
    user_id: demo.userId,
    domain_id: 'default',
    name: demo.keyName,
    key: 'demos',
    requestId: demo.requestId,
    flavor_id: demo.flavorId,
    id: url.includes('/flavors/') ? demo.flavorId : (demosNetworks[url.split('/')[2]!] ?? demo.serverId),
    tag: 'demos-tag',
  }
  return url.replace(/:(\w+)/g, (_, parameter: string) => ids[parameter] ?? demo.serverId)
}

/** What each route takes, so that it is not turned down for its body. */
const bodies: Record<string, unknown> = {
  'PUT /v2.1/servers/:id': { server: { name: 'stolen' } },
  'POST /v2.1/servers/:id/metadata': { metadata: { demos: 'stolen' } },
  'PUT /v2.1/servers/:id/metadata': { metadata: { demos: 'stolen' } },
  'PUT /v2.1/servers/:id/metadata/:key': { meta: { demos: 'stolen' } },
  'POST /v2.1/servers/:id/os-interface': { interfaceAttachment: {} },
  'PUT /v2.1/os-quota-sets/:project_id': { quota_set: { cores: 0 } },
  'PUT /v2.0/networks/:id': { network: { name: 'stolen' } },
  'PUT /v2.0/subnets/:id': { subnet: { name: 'stolen' } },
  'PUT /v2.0/subnetpools/:id': { subnetpool: { name: 'stolen' } },
  'PUT /v2.0/ports/:id': { port: { name: 'stolen' } },
  'PUT /v2.0/security-groups/:id': { security_group: { name: 'stolen' } },
  'PUT /v2.0/security-group-rules/:id': { security_group_rule: { description: 'stolen' } },
  'PUT /v2.0/rbac-policies/:id': { rbac_policy: { target_tenant: 'stolen' } },
  'PUT /v2.0/quotas/:project_id': { quota: { network: 0 } },
  'PUT /v2.0/routers/:id': { router: { name: 'stolen', external_gateway_info: null } },
  'PUT /v2.0/routers/:id/add_extraroutes': { router: { routes: [] } },
  'PUT /v2.0/routers/:id/remove_extraroutes': { router: { routes: [] } },
  'PUT /v2.0/floatingips/:id': { floatingip: { description: 'stolen' } },
  ...Object.fromEntries(
    ['networks', 'subnets', 'subnetpools', 'ports', 'security-groups', 'routers', 'floatingips'].map((path) => [
      `PUT /v2.0/${path}/:id/tags`,
      { tags: ['stolen'] },
    ]),
  ),
  'PATCH /v3/users/:user_id': { user: { name: 'stolen', password: 'stolen-secret' } },
  'PATCH /v3/projects/:project_id': { project: { name: 'stolen' } },
  'PATCH /v3/domains/:domain_id': { domain: { name: 'stolen' } },
}

const actionBodies: Record<string, unknown> = {
  reboot: { type: 'HARD' },
  addSecurityGroup: { name: 'default' },
  removeSecurityGroup: { name: 'default' },
  addFixedIp: { networkId: 'demos-network' },
  removeFixedIp: { address: '10.9.8.7' },
}

const tables = [
  'servers',
  'guest_passwords',
  'operations',
  'keypairs',
  'users',
  'projects',
  'domains',
  'role_assignments',
  'flavors',
  'flavor_access',
]

const tablesOfProjects = [
  'networks',
  'network_shares',
  'subnets',
  'subnet_pools',
  'ports',
  'security_groups',
  'security_group_rules',
  'project_quotas',
  'routers',
  'floating_ips',
]

const demosRecords = async () =>
  JSON.stringify(
    await Promise.all([
      ...[...tables, 'port_addresses'].map((table) => api.database.query(`SELECT * FROM ${table} t ORDER BY t::text`)),
      // Whoever asks for groups gets a default group of their own, and the use of its quota.
      ...tablesOfProjects.map((table) =>
        api.database.query(`SELECT * FROM ${table} t WHERE project_id = $1 ORDER BY t::text`, [demo.projectId]),
      ),
    ]),
  )

function requestsOf({ method, url, declaration }: ServedRoute): { body?: unknown }[] {
  if (declaration.actions)
    return Object.keys(declaration.actions).map((action) => ({
      body: { [action]: actionBodies[action] ?? null },
    }))
  return method === 'GET' || method === 'DELETE' ? [{}] : [{ body: bodies[`${method} ${url}`] ?? {} }]
}

describe('a manager of another project', () => {
  it('moves nothing of it', async () => {
    const before = await demosRecords()
    for (const route of routes) {
      // What is nobody's in particular, and what makes something of one's own.
      if (!/:(id|project_id|user_id|domain_id|name)/.test(route.url) || route.method === 'GET') continue
      for (const request of requestsOf(route)) {
        const response = await api.send(route.method, ofDemo(route.url), { token: stranger, ...request })
        const told = `${route.method} ${route.url} ${JSON.stringify(request.body)} ${response.body}`
        expect([told, [403, 404].includes(response.statusCode)]).toEqual([told, true])
      }
    }
    expect(await demosRecords()).toBe(before)
  })

  it('sees nothing of it, by its ids, in lists, or by asking for all', async () => {
    const secrets = [
      ...Object.values(demosNetworks),
      demo.serverId,
      demo.projectId,
      demo.userId,
      demo.keyName,
      'demos-',
      demo.requestId,
    ]
    const queries = ['', '?all_tenants=1', `?project_id=${demo.projectId}`, `?tenant_id=${demo.projectId}&user_id=${demo.userId}`]
    // The limits of a project that has none of its own are the same for all, under whichever id was asked for.
    const telling = routes.filter(({ method, url }) => method === 'GET' && !/\/defaults?$/.test(url))
    for (const { method, url } of telling) {
      for (const version of ['2.1', '2.52', '2.60', '2.96'])
        for (const query of queries) {
          const target = `${ofDemo(url)}${query}`
          const response = await api.send(method, target, {
            token: stranger,
            headers: { 'openstack-api-version': `compute ${version}` },
          })
          if (response.statusCode >= 400) continue
          // What was asked for may be said back: the address of the list itself.
          const shown = response.body.replaceAll(JSON.stringify(`http://cloud.example:8774${target}`), '')
          const told = `${target} ${version} ${shown}`
          expect([told, secrets.filter((secret) => shown.includes(secret))]).toEqual([told, []])
        }
    }
  })

  it('cannot take a token there', async () => {
    await expect(api.login('stranger', 'stranger-secret', onProject('demo'))).rejects.toThrow('401')
    await expect(api.login('stranger', 'stranger-secret', onProject('admin'))).rejects.toThrow('401')
  })
})

it('a member sees what is its own (so that there is something to see)', async () => {
  const token = await api.demo()
  const seen = await Promise.all(
    [
      '/v2.1/servers',
      '/v2.1/os-keypairs',
      `/v2.1/servers/${demo.serverId}`,
      '/v2.1/flavors?is_public=false',
      '/v2.0/networks',
      '/v2.0/security-groups',
      '/v2.0/ports',
    ].map(async (url) => (await api.send('GET', url, { token })).body),
  )
  for (const [index, text] of [
    'demos-server',
    'demos-key',
    'demos-server',
    'demos-flavor',
    'demos-network',
    'demos-group',
    'demos-port',
  ].entries())
    expect([index, seen[index]]).toEqual([index, expect.stringContaining(text)])
})
