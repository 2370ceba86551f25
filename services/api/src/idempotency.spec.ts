import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import { newId, systemRandom } from '@nubo/kernel'
import { servedRoutes, type RouteDeclaration } from '@nubo/service-kit'
import { addHost, addServer } from './testing/hosts.js'
import { onSystem, adminPassword, TestApi } from './testing/test-api.js'

// Promise 4. Every POST is repeated here with its key: a route that forgets its `Once` is found by carrying it out twice.

let api: TestApi
let admin: string
let demo: string
let system: string
let hostId: string
const imageRef = newId(systemRandom)

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
  system = await api.login('admin', adminPassword, onSystem)
  hostId = await addHost(api.database, { name: 'host-1' })
  await api.database.execute(
    `INSERT INTO images (id, project_id, name, status, visibility, disk_format, container_format, size_bytes, virtual_bytes)
     VALUES ($1, 'somebody', 'guest', 'active', 'public', 'raw', 'bare', 1048576, 1048576)`,
    [imageRef],
  )
})
afterAll(() => api?.stop())

interface Sent {
  as?: string
  key?: string
  version?: string
}

async function post(url: string, body: unknown, { as = admin, key, version = '2.96' }: Sent = {}) {
  const headers = { 'openstack-api-version': `compute ${version}`, ...(key !== undefined && { 'idempotency-key': key }) }
  const response = await api.send('POST', url, { token: as, body, headers })
  const { location, 'idempotent-replayed': replayed, 'retry-after': retryAfter } = response.headers
  const told = response.body === '' ? undefined : response.json()
  return { status: response.statusCode, body: told, location, replayed, retryAfter }
}

/** A name, or a key, that nothing else has. */
const fresh = () => `n-${newId(systemRandom)}`

const server = (more: Record<string, unknown> = {}) => ({
  server: { name: 'guest', imageRef, flavorRef: '1', networks: 'none', ...more },
})

async function serverThatIs(vmState: string): Promise<string> {
  const id = await addServer(api.database, hostId, { memoryMiB: 96 })
  await api.database.execute(`UPDATE servers SET vm_state = $2, launched_at = clock_timestamp(), project_id = $3 WHERE id = $1`, [
    id,
    vmState,
    (await projects()).admin,
  ])
  return id
}

async function projects(): Promise<{ admin: string; demo: string }> {
  const rows = await api.database.query<{ id: string; name: string }>(
    `SELECT id, name FROM projects WHERE name IN ('admin', 'demo')`,
  )
  return Object.fromEntries(rows.map(({ id, name }) => [name, id])) as { admin: string; demo: string }
}

async function newFlavor(): Promise<string> {
  const made = await post('/v2.1/flavors', {
    flavor: { name: fresh(), vcpus: 1, ram: 96, disk: 1, 'os-flavor-access:is_public': false },
  })
  return made.body.flavor.id
}

let networkMade: Promise<string> | undefined

async function newNetwork(): Promise<string> {
  return (await post('/v2.0/networks', { network: { name: fresh() } })).body.network.id
}

/** In a network that is there before anything is counted. */
const subnetOf = (cidr: string) => async () => ({
  subnet: { network_id: await (networkMade ??= newNetwork()), ip_version: 4, cidr },
})

const portCalled = async (name: string) => ({ port: { network_id: await (networkMade ??= newNetwork()), name } })

let pluggedMade: Promise<string> | undefined

/** A network that servers may be on. */
async function plugged(): Promise<string> {
  pluggedMade ??= (async () => {
    const network_id = await newNetwork()
    // What is given out by chance, to DHCP too, is none of the addresses that are named.
    const allocation_pools = [{ start: '198.51.100.10', end: '198.51.100.190' }]
    await post('/v2.0/subnets', { subnet: { network_id, ip_version: 4, cidr: '198.51.100.0/24', allocation_pools } })
    await post('/v2.0/security-groups', { security_group: { name: groupName } })
    return network_id
  })()
  return await pluggedMade
}

const groupName = 'of-servers'

const pluggedAddress = '198.51.100.200'

async function addressedServer(): Promise<string> {
  const id = await pluggedServer()
  await api.database.execute(
    `INSERT INTO port_addresses (network_id, address, subnet_id, port_id)
     SELECT p.network_id, $2::inet, s.id, p.id FROM ports p JOIN subnets s ON s.network_id = p.network_id WHERE p.server_id = $1`,
    [id, pluggedAddress],
  )
  return id
}

async function pluggedServer({ grouped = false } = {}): Promise<string> {
  const [networkId, id] = [await plugged(), await serverThatIs('active')]
  await api.database.execute(
    `WITH port AS (
       INSERT INTO ports (id, network_id, project_id, mac, server_id)
       SELECT gen_random_uuid(), $1, project_id, substr(md5(id::text), 1, 12), id FROM servers WHERE id = $2 RETURNING id)
     INSERT INTO port_security_groups (port_id, group_id)
     SELECT port.id, g.id FROM port, security_groups g WHERE g.name = $3 AND $4`,
    [networkId, id, groupName, grouped],
  )
  return id
}

/** Of a group of its own. */
async function newRule(): Promise<unknown> {
  const { body } = await post('/v2.0/security-groups', { security_group: { name: fresh() } })
  return ruleOf(body.security_group.id)
}

const ruleOf = (groupId: string) => ({ security_group_rule: { security_group_id: groupId, direction: 'ingress' } })
const shareWith = (target: string) => async () => ({
  rbac_policy: {
    ...{ object_type: 'network', object_id: await (networkMade ??= newNetwork()) },
    ...{ action: 'access_as_shared', target_tenant: target },
  },
})

let outsideMade: Promise<string> | undefined

async function newOutside(): Promise<string> {
  const made = await post('/v2.0/networks', { network: { 'router:external': true } })
  await post('/v2.0/subnets', { subnet: { network_id: made.body.network.id, ip_version: 4, cidr: '203.0.113.0/24' } })
  return made.body.network.id
}

const floatingIp = async (description: string) => ({
  floatingip: { floating_network_id: await (outsideMade ??= newOutside()), description },
})

const newHost = () => addHost(api.database, { name: fresh() })

async function fencedHost(): Promise<string> {
  const id = await newHost()
  await post(`/nubo/v1/hosts/${id}/fence`, {})
  return id
}

/** How a route is asked for something, and for something else. */
interface Example {
  /** Makes what the path speaks of, and returns its id. */
  subject?: () => Promise<string>
  body: () => unknown
  /** Another body; where a route takes none, another subject. */
  other?: () => unknown
  elsewhere?: () => Promise<string>
  /** What is shown once: the object and the field. */
  secret?: [string, string]
  version?: string
}

const action = (subject: () => Promise<string>, body: unknown, other: unknown): Example => ({
  subject,
  body: () => body,
  other: () => other,
})
const projectAccess = async (name: 'addTenantAccess' | 'removeTenantAccess', of: 'admin' | 'demo') => ({
  [name]: { tenant: (await projects())[of] },
})

const named =
  (kind: string, more: Record<string, unknown> = {}) =>
  () => ({ [kind]: { name: fresh(), ...more } })

/** By route, and by action where it has some. */
const examples: Record<string, Example> = {
  'POST /v2.1/servers': { body: () => server(), other: () => server({ name: 'other' }), secret: ['server', 'adminPass'] },
  'POST /v2.1/servers/:id/action os-start': action(() => serverThatIs('stopped'), { 'os-start': null }, { 'os-start': {} }),
  'POST /v2.1/servers/:id/action os-stop': action(() => serverThatIs('active'), { 'os-stop': null }, { 'os-stop': {} }),
  'POST /v2.1/servers/:id/action reboot': action(
    () => serverThatIs('active'),
    { reboot: { type: 'SOFT' } },
    { reboot: { type: 'HARD' } },
  ),
  'POST /v2.1/servers/:id/action lock': action(
    () => serverThatIs('active'),
    { lock: { locked_reason: 'a' } },
    { lock: { locked_reason: 'b' } },
  ),
  'POST /v2.1/servers/:id/action unlock': action(() => serverThatIs('active'), { unlock: null }, { lock: null }),
  'POST /v2.1/servers/:id/action forceDelete': action(() => serverThatIs('active'), { forceDelete: null }, { lock: null }),
  'POST /v2.1/servers/:id/action addSecurityGroup': action(
    () => pluggedServer(),
    { addSecurityGroup: { name: groupName } },
    { removeSecurityGroup: { name: groupName } },
  ),
  'POST /v2.1/servers/:id/action removeSecurityGroup': action(
    () => pluggedServer({ grouped: true }),
    { removeSecurityGroup: { name: groupName } },
    { addSecurityGroup: { name: groupName } },
  ),
  'POST /v2.1/servers/:id/action addFixedIp': {
    subject: () => pluggedServer(),
    body: async () => ({ addFixedIp: { networkId: await plugged() } }),
    other: () => ({ addFixedIp: { networkId: 'other' } }),
    version: '2.43',
  },
  'POST /v2.1/servers/:id/action removeFixedIp': {
    subject: () => addressedServer(),
    body: () => ({ removeFixedIp: { address: pluggedAddress } }),
    other: () => ({ removeFixedIp: { address: '198.51.100.201' } }),
    version: '2.43',
  },
  'POST /v2.1/servers/:id/os-interface': {
    subject: () => serverThatIs('active'),
    body: async () => ({ interfaceAttachment: { net_id: await plugged() } }),
    other: async () => ({ interfaceAttachment: { net_id: await plugged(), tag: 'other' } }),
  },
  'POST /v2.1/servers/:id/metadata': action(() => serverThatIs('active'), { metadata: { a: '1' } }, { metadata: { a: '2' } }),
  'POST /v2.1/os-keypairs': {
    body: named('keypair'),
    other: named('keypair'),
    secret: ['keypair', 'private_key'],
    version: '2.91',
  },
  'POST /v2.1/flavors': {
    body: named('flavor', { vcpus: 1, ram: 96, disk: 1 }),
    other: named('flavor', { vcpus: 1, ram: 96, disk: 1 }),
  },
  'POST /v2.1/flavors/:flavor_id/os-extra_specs': action(
    newFlavor,
    { extra_specs: { purpose: 'a' } },
    { extra_specs: { purpose: 'b' } },
  ),
  'POST /v2.1/flavors/:id/action addTenantAccess': {
    subject: newFlavor,
    body: () => projectAccess('addTenantAccess', 'demo'),
    other: () => projectAccess('addTenantAccess', 'admin'),
  },
  'POST /v2.1/flavors/:id/action removeTenantAccess': {
    subject: async () => {
      const id = await newFlavor()
      await post(`/v2.1/flavors/${id}/action`, await projectAccess('addTenantAccess', 'demo'))
      return id
    },
    body: () => projectAccess('removeTenantAccess', 'demo'),
    other: () => projectAccess('removeTenantAccess', 'admin'),
  },
  'POST /v2.0/networks': { body: named('network'), other: named('network') },
  'POST /v2.0/subnets': { body: subnetOf('10.0.0.0/24'), other: subnetOf('10.0.1.0/24') },
  'POST /v2.0/subnetpools': {
    body: named('subnetpool', { prefixes: ['10.0.0.0/8'] }),
    other: named('subnetpool', { prefixes: ['10.0.0.0/8'] }),
  },
  'POST /v2.0/ports': { body: () => portCalled('one'), other: () => portCalled('other') },
  'POST /v2.0/security-groups': { body: named('security_group'), other: named('security_group') },
  'POST /v2.0/security-group-rules': { body: newRule, other: () => ruleOf(newId(systemRandom)) },
  'POST /v2.0/rbac-policies': { body: shareWith('one'), other: shareWith('other') },
  'POST /v2.0/routers': { body: named('router'), other: named('router') },
  'POST /v2.0/floatingips': { body: () => floatingIp('one'), other: () => floatingIp('other') },
  'POST /nubo/v1/hosts/:id/fence': { subject: newHost, body: () => ({}), elsewhere: newHost },
  'POST /nubo/v1/hosts/:id/release': { subject: fencedHost, body: () => ({}), elsewhere: fencedHost },
  'POST /v3/projects': { body: named('project'), other: named('project') },
  'POST /v3/users': { body: named('user', { password: 'hunter-two' }), other: named('user') },
  'POST /v3/domains': { body: named('domain'), other: named('domain') },
  'POST /v3/roles': { body: named('role'), other: named('role') },
}

/** All that a POST could change, but for the keys themselves. */
const everything = async () => {
  const compute = ['hosts', 'servers', 'operations', 'operation_steps', 'project_quotas', 'keypairs', 'flavors', 'flavor_access']
  const tables = [
    ...compute,
    'projects',
    'users',
    'domains',
    'roles',
    'networks',
    'subnets',
    'subnet_pools',
    'ports',
    'port_addresses',
    'port_security_groups',
    'security_groups',
    'security_group_rules',
  ]
  return JSON.stringify(await Promise.all(tables.map((table) => api.database.query(`SELECT * FROM ${table} t ORDER BY t::text`))))
}

/** 'POST /v2.1/servers', or one for each action. */
const namesOf = (url: string, { actions }: RouteDeclaration) =>
  actions ? Object.keys(actions).map((name) => `POST ${url} ${name}`) : [`POST ${url}`]

describe('every POST', () => {
  const declared = () => servedRoutes(api.app).filter(({ method }) => method === 'POST')

  it('takes an Idempotency-Key and is tried here, or says why it takes none', () => {
    const exempt: string[] = []
    const taking: string[] = []
    for (const { url, declaration } of declared())
      for (const name of namesOf(url, declaration)) {
        const of = declaration.actions?.[name.split(' ')[2]!]
        const reason = declaration.notIdempotent ?? of?.notIdempotent
        if (reason !== undefined) exempt.push(name)
        else taking.push(name)
      }
    expect(exempt.toSorted()).toEqual([
      'POST /nubo/v1/doctor/repair',
      'POST /v2.1/servers/:id/action os-getConsoleOutput',
      'POST /v3/auth/tokens',
      'POST /v3/users/:user_id/password',
    ])
    expect(taking.toSorted()).toEqual(Object.keys(examples).toSorted())
  })

  it.each(Object.keys(examples))('is carried out once with one key: %s', async (name) => {
    const { subject, body, other, elsewhere, secret, version } = examples[name]!
    const urlOf = (id = '') => name.split(' ')[1]!.replace(/:\w+/, id)
    const url = urlOf(await subject?.())
    const otherUrl = elsewhere ? urlOf(await elsewhere()) : url
    const [asked, key] = [await body(), fresh()]
    const how = { key, ...(version && { version }) }

    const first = await post(url, asked, how)
    expect([Math.floor(first.status / 100), first.replayed, first.body]).toEqual([2, undefined, first.body])
    const after = await everything()

    const shownOnce = secret && (first.body[secret[0]][secret[1]] as string)
    if (secret) delete first.body[secret[0]][secret[1]]
    expect(await post(url, asked, how)).toEqual({ ...first, replayed: 'true' })

    const refused = await post(otherUrl, await other?.(), how)
    expect(refused).toMatchObject({ status: 409, replayed: undefined, retryAfter: undefined })
    expect(await everything()).toBe(after)

    const kept = await keptUnder(name)
    for (const unspeakable of [shownOnce, 'hunter-two', key]) if (unspeakable) expect(kept).not.toContain(unspeakable)
    for (const as of [system, demo]) expect(await post(url, asked, { ...how, as })).toMatchObject({ replayed: undefined })
  })
})

/** The rows of a route as they lie in the database. */
async function keptUnder(name: string): Promise<string> {
  const rows = await api.database.query('SELECT * FROM idempotency_keys WHERE route = $1', [name.split(' ', 2).join(' ')])
  expect(rows).not.toEqual([])
  return JSON.stringify(rows)
}

const serversNamed = async (name: string) =>
  (await api.database.query<{ id: string }>('SELECT id FROM servers WHERE name LIKE $1', [`${name}%`])).map(({ id }) => id)

describe('creating servers with an Idempotency-Key', () => {
  it('makes one, however many equal requests race: the others hear of it or come again', async () => {
    const [name, key] = [fresh(), fresh()]
    const answers = await Promise.all(Array.from({ length: 50 }, () => post('/v2.1/servers', server({ name }), { key })))
    const [id, ...others] = await serversNamed(name)
    expect(others).toEqual([])
    for (const { status, body, replayed, retryAfter } of answers)
      if (status === 409) expect(retryAfter).toBe('1')
      else expect([status, body.server.id, body.server.adminPass === undefined]).toEqual([202, id, replayed === 'true'])
    expect(answers.filter(({ status, replayed }) => status === 202 && !replayed)).toHaveLength(1)
    expect((await post('/v2.1/servers', server({ name }), { key })).body.server.id).toBe(id)
  })

  // It looked its key up before the first was committed, and the port afterwards: 409, and nothing of the server that was made.
  it('is answered as the first was, where what that one made is in its way', async () => {
    await post('/v2.1/servers', server())
    const port = (await post('/v2.0/ports', { port: { network_id: await plugged() } })).body.port.id
    const [request, key] = [server({ name: fresh(), networks: [{ port }] }), fresh()]
    const releaseQuota = await hold('SELECT FROM project_quotas FOR UPDATE')
    const first = post('/v2.1/servers', request, { key })
    await untilSomeWait(1)
    const releaseFlavors = await hold('LOCK TABLE flavors')
    const second = post('/v2.1/servers', request, { key })
    await untilSomeWait(2)
    await releaseQuota()
    const { status, body } = await first
    await releaseFlavors()
    const { adminPass: _, ...shown } = body.server
    expect([status, await second]).toEqual([202, { ...(await first), body: { server: shown }, replayed: 'true' }])
  })

  /** Takes the locks of this statement, and gives what releases them. */
  async function hold(statement: string): Promise<() => Promise<void>> {
    const [locked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const held = api.database.transaction(async (tx) => {
      await tx.query(statement)
      locked.resolve()
      await released.promise
    })
    await locked.promise
    return async () => {
      released.resolve()
      await held
    }
  }

  async function untilSomeWait(count: number): Promise<void> {
    const look = async () => (await api.database.query('SELECT FROM pg_locks WHERE NOT granted')).length === count
    await waitFor('requests wait for a lock', look, { timeoutMs: 30_000, everyMs: 10 })
  }

  it('makes several once', async () => {
    const [name, key] = [fresh(), fresh()]
    const request = server({ name, min_count: 3, max_count: 3, return_reservation_id: true })
    const first = await post('/v2.1/servers', request, { key })
    expect(first).toMatchObject({ status: 202, body: { reservation_id: expect.any(String) } })
    expect(await post('/v2.1/servers', request, { key })).toEqual({ ...first, replayed: 'true' })
    expect(await serversNamed(name)).toHaveLength(3)
  })

  it('makes as many as the quota allows once, and tells of those', async () => {
    const [name, key] = [fresh(), fresh()]
    const { used_instances: used } = (
      await api.database.query<{ used_instances: number }>('SELECT used_instances FROM project_quotas WHERE project_id = $1', [
        (await projects()).demo,
      ])
    )[0]!
    await limitInstances(used + 2)
    const request = server({ name, min_count: 1, max_count: 5 })
    const first = await post('/v2.1/servers', request, { key, as: demo })
    const made = await serversNamed(name)
    expect([first.status, made.length, made.includes(first.body.server.id)]).toEqual([202, 2, true])
    const again = await post('/v2.1/servers', request, { key, as: demo })
    expect([again.replayed, again.body.server.id, again.location]).toEqual(['true', first.body.server.id, first.location])
    expect(await serversNamed(name)).toHaveLength(2)
    await limitInstances(undefined)
  })

  it('is another request in another project', async () => {
    const [name, key] = [fresh(), fresh()]
    const mine = await post('/v2.1/servers', server({ name }), { key })
    const theirs = await post('/v2.1/servers', server({ name }), { key, as: demo })
    expect(theirs).toMatchObject({ status: 202, replayed: undefined })
    expect((await serversNamed(name)).toSorted()).toEqual([mine.body.server.id, theirs.body.server.id].toSorted())
  })

  it('is answered as before when what was checked then holds no more, and when the server is gone', async () => {
    const key = fresh()
    const first = await post('/v2.1/servers', server(), { key, as: demo })
    await limitInstances(1)
    expect((await post('/v2.1/servers', server(), { as: demo })).status).toBe(403)
    await api.send('DELETE', `/v2.1/servers/${first.body.server.id}`, { token: demo })
    const { adminPass: _, ...shown } = first.body.server
    expect(await post('/v2.1/servers', server(), { key, as: demo })).toEqual({
      ...first,
      body: { server: shown },
      replayed: 'true',
    })
    await limitInstances(undefined)
  })

  it('is tried again after it failed', async () => {
    const key = fresh()
    await limitInstances(0)
    expect((await post('/v2.1/servers', server(), { key, as: demo })).status).toBe(403)
    await limitInstances(undefined)
    expect(await post('/v2.1/servers', server(), { key, as: demo })).toMatchObject({ status: 202, replayed: undefined })
    const other = fresh()
    expect((await post('/v2.1/servers', server({ flavorRef: 'none' }), { key: other })).status).toBe(400)
    expect(await post('/v2.1/servers', server(), { key: other })).toMatchObject({ status: 202, replayed: undefined })
  })

  // The change was committed, as changing nothing, before it was refused: asked again, it was answered as if it had been made.
  it.each(['addSecurityGroup', 'removeSecurityGroup'])('is refused again where it was refused: %s', async (name) => {
    await plugged()
    const [url, key] = [`/v2.1/servers/${await serverThatIs('active')}/action`, fresh()]
    for (const _ of [1, 2])
      expect(await post(url, { [name]: { name: groupName } }, { key })).toMatchObject({ status: 404, replayed: undefined })
  })

  it('is not replayed to whoever may no longer ask', async () => {
    const key = fresh()
    await post('/v2.1/servers', server(), { key })
    const response = await api.send('POST', '/v2.1/servers', { body: server(), headers: { 'idempotency-key': key } })
    expect(response.statusCode).toBe(401)
  })

  async function limitInstances(instances: number | undefined): Promise<void> {
    const url = `/v2.1/os-quota-sets/${(await projects()).demo}`
    if (instances === undefined) await api.send('DELETE', url, { token: admin })
    else await api.send('PUT', url, { token: admin, body: { quota_set: { instances, force: true } } })
  }
})
