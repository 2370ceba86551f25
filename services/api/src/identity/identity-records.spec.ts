import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { insertServer } from '@nubo/database/testing'
import { TestApi } from '../testing/test-api.js'

let api: TestApi
let admin: string
let demo: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
})
afterAll(() => api.stop())

const call = async (method: string, path: string, body?: unknown, token = admin) => {
  const response = await api.send(method, `/v3/${path}`, { token, body })
  return {
    status: response.statusCode,
    body: response.body === '' ? undefined : response.json(),
    message: messageOf(response.body),
  }
}
const messageOf = (body: string): string | undefined => (body.includes('"error"') ? JSON.parse(body).error.message : undefined)
const make = async (kind: string, record: Record<string, unknown>) =>
  (await call('POST', `${kind}s`, { [kind]: record })).body[kind]

describe.each([
  [
    'project',
    { description: 'd', domain_id: 'default', enabled: true, is_domain: false, parent_id: 'default', tags: [], options: {} },
  ],
  ['user', { domain_id: 'default', enabled: true, options: {}, password_expires_at: null }],
  ['role', { domain_id: null, options: {} }],
  ['domain', { enabled: true, tags: [], options: {} }],
])('a %s', (kind, shape) => {
  const duplicate = kind === 'project' || kind === 'user' ? ' at domain ID default' : ''

  it('is made, shown, listed, changed and deleted as in Keystone', async () => {
    const created = await call('POST', `${kind}s`, { [kind]: { name: 'first', description: 'd' } })
    expect(created.status).toBe(201)
    const record = created.body[kind]
    expect(record).toMatchObject({ ...shape, name: 'first', description: 'd', id: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(record.links).toEqual({ self: `http://cloud.example:8774/v3/${kind}s/${record.id}` })
    expect((await call('GET', `${kind}s/${record.id}`)).body[kind]).toEqual(record)

    const listed = await call('GET', `${kind}s?name=first`)
    expect(listed.body[`${kind}s`]).toEqual([record])
    expect(listed.body.links).toEqual({ next: null, previous: null, self: `http://cloud.example:8774/v3/${kind}s?name=first` })
    expect((await call('GET', `${kind}s?name=nothing`)).body[`${kind}s`]).toEqual([])

    const changed = await call('PATCH', `${kind}s/${record.id}`, { [kind]: { name: 'second', description: 'e' } })
    expect([changed.status, changed.body[kind]]).toEqual([200, { ...record, name: 'second', description: 'e' }])
    if (kind === 'domain') await call('PATCH', `domains/${record.id}`, { domain: { enabled: false } })
    expect((await call('DELETE', `${kind}s/${record.id}`)).status).toBe(204)
    for (const method of ['GET', 'DELETE', 'PATCH'])
      expect(
        await call(method, `${kind}s/${record.id}`, method === 'PATCH' ? { [kind]: { description: 'x' } } : undefined),
      ).toMatchObject({
        status: 404,
        message: `Could not find ${kind}: ${record.id}.`,
      })
  })

  it('has a name of its own', async () => {
    const taken = await make(kind, { name: 'taken' })
    const other = await make(kind, { name: 'other' })
    const conflict = {
      status: 409,
      message: `Conflict occurred attempting to store ${kind} - Duplicate entry found with name taken${duplicate}.`,
    }
    expect(await call('POST', `${kind}s`, { [kind]: { name: 'taken' } })).toMatchObject(conflict)
    expect(await call('PATCH', `${kind}s/${other.id}`, { [kind]: { name: 'taken' } })).toMatchObject(conflict)
    expect((await call('PATCH', `${kind}s/${taken.id}`, { [kind]: { name: 'taken' } })).status).toBe(200)
  })

  it.each([
    [{}, /'name' is a required property/],
    [{ name: '' }, /'' is too short/],
    [{ name: '   ' }, /does not match/],
    [{ name: 5 }, /5 is not of type 'string'/],
    [{ name: 'x'.repeat(256) }, /is too long/],
    [{ name: 'x', description: 5 }, /5 is not of type/],
  ])('refuses %j in words', async (record, message) => {
    expect(await call('POST', `${kind}s`, { [kind]: record })).toMatchObject({
      status: 400,
      message: expect.stringMatching(message),
    })
  })
})

it.each(['role', 'domain'])('a %s has no fields that the cloud does not know', async (kind) => {
  expect(await call('POST', `${kind}s`, { [kind]: { name: 'x', surprise: 1 } })).toMatchObject({
    status: 400,
    message: expect.stringMatching(/Additional properties are not allowed \('surprise' was unexpected\)/),
  })
})

// tempest.api.identity.admin.v3: test_user_update, test_associate_user_to_project
describe.each(['project', 'user'])('fields of a %s that the cloud does not know', (kind) => {
  it('are kept, shown and added to', async () => {
    const made = await make(kind, { name: 'with fields', costCentre: '17', nested: { a: [1, null] }, extra: 'e' })
    expect(made).toMatchObject({ costCentre: '17', nested: { a: [1, null] }, extra: 'e' })
    const { body } = await call('PATCH', `${kind}s/${made.id}`, { [kind]: { costCentre: null, floor: 3 } })
    expect(body[kind]).toEqual({ ...made, costCentre: null, floor: 3 })
    expect((await call('GET', `${kind}s/${made.id}`)).body[kind]).toEqual(body[kind])
    expect((await call('GET', `${kind}s?name=with%20fields`)).body[`${kind}s`]).toEqual([body[kind]])
  })

  it('do not take the place of those that it knows', async () => {
    const made = await make(kind, { name: 'honest', id: 'mine', links: 'nowhere', enabled: false })
    const sent = { [kind]: { ...made, id: 'other', links: {}, enabled: true } }
    const { body } = await call('PATCH', `${kind}s/${made.id}`, sent)
    expect(body[kind]).toEqual({ ...made, enabled: true })
  })
})

describe('projects', () => {
  it('can be filtered by whether they are enabled', async () => {
    const project = await make('project', { name: 'sleeping', enabled: false })
    const names = async (query: string) =>
      (await call('GET', `projects?${query}`)).body.projects.map((item: { name: string }) => item.name)
    expect(await names('enabled=false')).toEqual(['sleeping'])
    expect(await names('enabled=0')).toEqual(['sleeping'])
    expect(await names('enabled')).not.toContain('sleeping')
    expect(await names('domain_id=nowhere')).toEqual([])
    expect(await names('is_domain=true')).toEqual([])
    await call('DELETE', `projects/${project.id}`)
  })

  it('stay while they have servers', async () => {
    const project = await make('project', { name: 'busy' })
    await insertServer(api.database, project.id)
    expect(await call('DELETE', `projects/${project.id}`)).toMatchObject({
      status: 409,
      message: `Project ${project.id} still has 1 server. Delete it first.`,
    })
    await api.database.execute('UPDATE servers SET deleted_at = now() WHERE project_id = $1', [project.id])
    expect((await call('DELETE', `projects/${project.id}`)).status).toBe(204)
  })

  it('are not moved between domains, and have no parents but those', async () => {
    const project = await make('project', { name: 'still' })
    const domain = await make('domain', { name: 'elsewhere' })
    expect((await call('PATCH', `projects/${project.id}`, { project: { domain_id: domain.id } })).status).toBe(400)
    expect((await call('POST', 'projects', { project: { name: 'child', parent_id: project.id } })).status).toBe(404)
    expect((await call('POST', 'projects', { project: { name: 'x', domain_id: 'nowhere' } })).message).toBe(
      'Could not find domain: nowhere.',
    )
    expect((await call('PATCH', `projects/${project.id}`, { project: { parent_id: domain.id } })).status).toBe(403)
    expect((await call('PATCH', `projects/${project.id}`, { project: { is_domain: true } })).status).toBe(400)
    const moved = await call('POST', 'projects', { project: { name: 'there', domain_id: domain.id } })
    expect(moved.body.project).toMatchObject({ domain_id: domain.id, parent_id: domain.id })
    expect((await call('PATCH', `domains/${domain.id}`, { domain: { enabled: false } })).status).toBe(200)
    expect((await call('DELETE', `domains/${domain.id}`)).status).toBe(409)
  })
})

describe('users', () => {
  it('show no password and no hash, and what was set', async () => {
    const project = await make('project', { name: 'home' })
    const user = await make('user', {
      name: 'ada',
      password: 'top-secret',
      email: 'ada@example.org',
      default_project_id: project.id,
    })
    expect(user).toMatchObject({ email: 'ada@example.org', default_project_id: project.id })
    expect(JSON.stringify(user)).not.toMatch(/top-secret|argon2/)
    const cleared = await call('PATCH', `users/${user.id}`, { user: { email: null, default_project_id: null } })
    expect(cleared.body.user).not.toHaveProperty('email')
    expect(cleared.body.user).not.toHaveProperty('default_project_id')
    expect((await call('POST', 'users', { user: { name: 'bob', default_project_id: 'nowhere' } })).status).toBe(404)
  })

  it('keep passwords to 128 characters', async () => {
    const long = 'x'.repeat(129)
    const response = await call('POST', 'users', { user: { name: 'long', password: long } })
    expect([response.status, response.message]).toEqual([400, expect.stringMatching(/is too long/)])
    expect(response.message).not.toContain(long)
    expect((await call('POST', 'users', { user: { name: 'long', password: 'x'.repeat(128) } })).status).toBe(201)
  })

  it('see themselves and their projects, and nobody else', async () => {
    const me = (await call('GET', 'users?name=demo')).body.users[0].id
    const other = (await call('GET', 'users?name=admin')).body.users[0].id
    expect((await call('GET', `users/${me}`, undefined, demo)).status).toBe(200)
    expect((await call('GET', `users/${me}/projects`, undefined, demo)).body.projects).toMatchObject([{ name: 'demo' }])
    for (const path of [`users/${other}`, `users/${other}/projects`, 'users', 'projects', 'roles', 'role_assignments'])
      expect((await call('GET', path, undefined, demo)).status).toBe(403)
    const projects = (await call('GET', 'projects')).body.projects
    const own = projects.find((project: { name: string }) => project.name === 'demo')
    expect((await call('GET', `projects/${own.id}`, undefined, demo)).status).toBe(200)
    expect((await call('GET', `projects/${projects[0].id}`, undefined, demo)).status).toBe(403)
    expect((await call('GET', 'domains/default', undefined, demo)).status).toBe(200)
  })
})

describe('the built-in roles', () => {
  it('can be neither renamed nor deleted', async () => {
    const [role] = (await call('GET', 'roles?name=member')).body.roles
    expect(role.options).toEqual({ immutable: true })
    expect((await call('DELETE', `roles/${role.id}`)).status).toBe(403)
    expect((await call('PATCH', `roles/${role.id}`, { role: { name: 'x' } })).status).toBe(403)
  })
})

describe.each([
  ['project', async () => `projects/${(await make('project', { name: 'granted' })).id}`],
  ['domain', async () => `domains/${(await make('domain', { name: 'granted' })).id}`],
  ['system', async () => 'system'],
])('a role on a %s', (kind, makeTarget) => {
  it('is given, asked for, listed and taken away', async () => {
    const target = await makeTarget()
    const user = await make('user', { name: `grantee of ${kind}` })
    const [role] = (await call('GET', 'roles?name=member')).body.roles
    const roles = `${target}/users/${user.id}/roles`
    const grant = `${roles}/${role.id}`
    const missing = { status: 404, message: expect.stringContaining('Could not find role assignment with role') }
    expect(await call('GET', grant)).toMatchObject(missing)
    expect(await call('DELETE', grant)).toMatchObject(missing)
    for (let time = 0; time < 2; time++) expect((await call('PUT', grant)).status).toBe(204)
    expect((await call('GET', grant)).status).toBe(204)
    expect((await call('HEAD', grant)).status).toBe(204)
    expect((await call('GET', roles)).body.roles).toMatchObject([{ name: 'member' }])

    const plain = (await call('GET', `role_assignments?user.id=${user.id}`)).body.role_assignments
    expect(plain).toMatchObject([{ role: { id: role.id }, user: { id: user.id } }])
    expect(plain[0].links.assignment).toBe(`http://cloud.example:8774/v3/${grant}`)
    const query = `role_assignments?user.id=${user.id}&effective&include_names=true`
    const effective = (await call('GET', query)).body.role_assignments
    expect(effective.map((item: { role: { name: string } }) => item.role.name)).toEqual(['member', 'reader'])
    expect(effective[0]).toMatchObject({ user: { name: user.name, domain: { name: 'Default' } } })

    expect((await call('DELETE', grant)).status).toBe(204)
    expect((await call('GET', roles)).body.roles).toEqual([])
    expect(await call('PUT', `${roles}/nowhere`)).toMatchObject({ status: 404, message: 'Could not find role: nowhere.' })
    expect(await call('PUT', `${target}/users/nobody/roles/${role.id}`)).toMatchObject({
      status: 404,
      message: 'Could not find user: nobody.',
    })
  })
})

describe('role assignments', () => {
  const list = async (query: string) => (await call('GET', `role_assignments?${query}`)).body.role_assignments

  it('are filtered by role, target and user', async () => {
    const [role] = (await call('GET', 'roles?name=admin')).body.roles
    expect(await list(`role.id=${role.id}`)).toHaveLength(2)
    expect(await list('scope.system=all')).toMatchObject([{ scope: { system: { all: true } } }])
    expect(await list('scope.project.id=nowhere')).toEqual([])
    expect(await list('group.id=any')).toEqual([])
    expect((await call('GET', 'role_assignments?scope.system=all&scope.domain.id=x')).status).toBe(400)
  })

  it('show names when asked to', async () => {
    const projects = (await call('GET', 'projects?name=demo')).body.projects
    expect(await list(`scope.project.id=${projects[0].id}&include_names`)).toMatchObject([
      { role: { name: 'member' }, scope: { project: { name: 'demo', domain: { name: 'Default' } } } },
    ])
  })
})

describe('the catalog', () => {
  it('is read as services, endpoints and regions', async () => {
    const { services } = (await call('GET', 'services')).body
    expect(services.map((service: { type: string }) => service.type)).toEqual(['identity', 'compute', 'image', 'network'])
    expect((await call('GET', 'services?type=image')).body.services).toHaveLength(1)
    expect((await call('GET', `services/${services[0].id}`)).body.service).toEqual(services[0])
    const { endpoints } = (await call('GET', `endpoints?service_id=${services[1].id}&interface=public`)).body
    expect(endpoints).toMatchObject([{ url: 'http://cloud.example:8774/compute/v2.1', region: 'RegionOne' }])
    expect((await call('GET', `endpoints/${endpoints[0].id}`)).body.endpoint).toEqual(endpoints[0])
    expect((await call('GET', 'regions/RegionOne', undefined, demo)).body.region.id).toBe('RegionOne')
    for (const path of ['services/x', 'endpoints/x', 'regions/x']) expect((await call('GET', path)).status).toBe(404)
  })
})

describe('version documents', () => {
  const get = (url: string) => api.app.inject({ url, headers: { host: 'cloud.example:8774' } })

  it('are where clients look for them, without a token', async () => {
    const root = await get('/')
    expect([root.statusCode, root.headers['location']]).toEqual([300, 'http://cloud.example:8774/v3/'])
    const version = root.json().versions.values[0]
    expect(version).toMatchObject({
      id: 'v3.14',
      status: 'stable',
      links: [{ rel: 'self', href: 'http://cloud.example:8774/v3/' }],
    })
    for (const url of ['/v3', '/v3/']) expect((await get(url)).json()).toEqual({ version })
  })

  it("of compute are Nova's, with the address that was asked for", async () => {
    for (const url of ['/compute/v2.1', '/compute/v2.1/'])
      expect((await get(url)).json()).toEqual({
        version: {
          id: 'v2.1',
          status: 'CURRENT',
          version: '2.96',
          min_version: '2.1',
          updated: '2013-07-23T11:33:21Z',
          links: [
            { rel: 'self', href: 'http://cloud.example:8774/compute/v2.1/' },
            { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' },
          ],
          'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
        },
      })
    expect((await get('/v2.1')).json().version.links[0].href).toBe('http://cloud.example:8774/v2.1/')
    expect((await get('/compute/')).json().versions).toMatchObject([
      { id: 'v2.0', status: 'SUPPORTED', version: '', links: [{ rel: 'self', href: 'http://cloud.example:8774/compute/v2/' }] },
      { id: 'v2.1', version: '2.96' },
    ])
    expect((await get('/compute/v2/')).json().version).toMatchObject({
      id: 'v2.0',
      links: [{ rel: 'self', href: 'http://cloud.example:8774/compute/v2/' }, { rel: 'describedby' }],
      'media-types': [{ type: 'application/vnd.openstack.compute+json;version=2' }],
    })
  })
})
