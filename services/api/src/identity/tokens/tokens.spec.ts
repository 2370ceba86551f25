import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { lockForRevocation, markAssignmentRevoked } from '@nubo/database'
import { adminPassword, demoPassword, onProject, onSystem, passwordAuth, TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let demo: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  demo = await api.demo()
})
afterAll(() => api.stop())

const issue = (body: unknown, url = '/v3/auth/tokens') => api.send('POST', url, { body })
const byToken = (id: string, scope?: unknown) => ({
  auth: { identity: { methods: ['token'], token: { id } }, ...(scope !== undefined && { scope }) },
})
const check = (subject: string, token = admin, method = 'GET') =>
  api.send(method, '/v3/auth/tokens', { token, headers: { 'x-subject-token': subject } })
const isGood = async (token: string) => (await api.send('GET', '/v3/auth/projects', { token })).statusCode === 200

/** Makes a user with a role on project demo. */
async function newUser(name: string, password = 'first-secret') {
  const user = (await api.send('POST', '/v3/users', { token: admin, body: { user: { name, password } } })).json().user
  const demoProject = (await api.send('GET', '/v3/projects?name=demo', { token: admin })).json().projects[0]
  const role = (await api.send('GET', '/v3/roles?name=member', { token: admin })).json().roles[0]
  const grant = `/v3/projects/${demoProject.id}/users/${user.id}/roles/${role.id}`
  expect((await api.send('PUT', grant, { token: admin })).statusCode).toBe(204)
  return { id: user.id as string, grant, login: () => api.login(name, password, onProject('demo')) }
}

describe('a token', () => {
  it('by password and project says all that Keystone says', async () => {
    const response = await issue(passwordAuth('demo', demoPassword, onProject('demo')))
    expect(response.statusCode).toBe(201)
    expect(response.headers).toMatchObject({ 'x-subject-token': expect.stringMatching(/^ey/), vary: 'X-Auth-Token' })
    const { token } = response.json()
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
    expect(token).toMatchObject({
      methods: ['password'],
      user: { name: 'demo', domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      project: { name: 'demo', domain: { id: 'default', name: 'Default' } },
      is_domain: false,
      audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
      issued_at: expect.stringMatching(time),
      expires_at: expect.stringMatching(time),
    })
    expect(token.roles.map((role: { name: string }) => role.name)).toEqual(['member', 'reader'])
    expect(Date.parse(token.expires_at) - Date.parse(token.issued_at)).toBe(3_600_000)
    expect(token.catalog.map((service: { type: string }) => service.type)).toEqual(['identity', 'compute', 'image', 'network'])
    expect(token.catalog[1].endpoints).toContainEqual(
      expect.objectContaining({ interface: 'public', region: 'RegionOne', url: 'http://cloud.example:8774/compute/v2.1' }),
    )
  })

  it.each<[string, () => unknown, Record<string, unknown>]>([
    ['the system', () => passwordAuth('admin', adminPassword, onSystem), { system: { all: true } }],
    ['no scope, said', () => passwordAuth('admin', adminPassword, 'unscoped'), {}],
    ['no scope, said in the old way', () => passwordAuth('admin', adminPassword, { unscoped: {} }), {}],
    ['the default project, unsaid', () => passwordAuth('admin', adminPassword), { project: { name: 'admin' } }],
  ])('can be scoped to %s', async (_name, body, expected) => {
    const { token } = (await issue(body())).json()
    expect(token).toMatchObject(expected)
    const scopes = ['project', 'system', 'domain'].filter((key) => key in token)
    expect(scopes).toEqual(Object.keys(expected))
    expect('catalog' in token).toBe(scopes.length > 0)
    expect('roles' in token).toBe(scopes.length > 0)
  })

  it('can be scoped to a domain', async () => {
    const user = await newUser('domain-admin')
    const role = (await api.send('GET', '/v3/roles?name=admin', { token: admin })).json().roles[0]
    await api.send('PUT', `/v3/domains/default/users/${user.id}/roles/${role.id}`, { token: admin })
    const { token } = (await issue(passwordAuth('domain-admin', 'first-secret', { domain: { name: 'Default' } }))).json()
    expect(token).toMatchObject({ domain: { id: 'default', name: 'Default' }, roles: expect.any(Array) })
    expect(token).not.toHaveProperty('project')
  })

  it('comes without its catalog when asked to', async () => {
    const response = await issue(passwordAuth('demo', demoPassword), '/v3/auth/tokens?nocatalog')
    expect(response.json().token).not.toHaveProperty('catalog')
  })

  it('is made from another, which it does not outlive and whose chain it joins', async () => {
    const first = (await check(admin)).json().token
    const response = await issue(byToken(admin, onSystem))
    const { token } = response.json()
    expect(token).toMatchObject({ methods: ['token', 'password'], expires_at: first.expires_at, system: { all: true } })
    expect(token.audit_ids).toEqual([expect.any(String), first.audit_ids[0]])
    const third = (await issue(byToken(response.headers['x-subject-token'] as string, 'unscoped'))).json().token
    expect(third.audit_ids[1]).toBe(first.audit_ids[0])
  })

  it('by id of user and project is the same', async () => {
    const { user, project } = (await check(demo)).json().token
    const response = await issue({
      auth: {
        identity: { methods: ['password'], password: { user: { id: user.id, password: demoPassword } } },
        scope: { project: { id: project.id } },
      },
    })
    expect(response.json().token).toMatchObject({ user: { id: user.id }, project: { id: project.id } })
  })

  it('is shown to its bearer and to admins, and its HEAD has no body', async () => {
    const own = await check(demo, demo)
    expect([own.statusCode, own.headers['x-subject-token']]).toEqual([200, demo])
    expect(own.json().token).toMatchObject({ user: { name: 'demo' }, roles: [{ name: 'member' }, { name: 'reader' }] })
    expect((await check(demo, admin)).statusCode).toBe(200)
    const head = await check(demo, demo, 'HEAD')
    expect([head.statusCode, head.body]).toEqual([200, ''])
    const foreign = await check(admin, demo)
    expect([foreign.statusCode, foreign.json().error.message]).toEqual([
      403,
      'You are not authorized to perform the requested action: identity:validate_token.',
    ])
    expect((await check('nonsense')).statusCode).toBe(404)
    expect((await api.send('GET', '/v3/auth/tokens', { token: admin })).json().error.message).toBe('No token in the request')
  })
})

describe('a login that fails', () => {
  const refused = {
    error: { code: 401, message: 'The request you have made requires authentication.', title: 'Unauthorized' },
  }

  it.each<[string, unknown]>([
    ['a wrong password', passwordAuth('demo', 'wrong', onProject('demo'))],
    ['an unknown user', passwordAuth('nobody', 'wrong', onProject('demo'))],
    [
      'an unknown domain',
      {
        auth: {
          identity: {
            methods: ['password'],
            password: { user: { name: 'demo', domain: { name: 'x' }, password: demoPassword } },
          },
        },
      },
    ],
    ['an unknown project', passwordAuth('demo', demoPassword, onProject('nowhere'))],
    ['a project without a role', passwordAuth('demo', demoPassword, onProject('admin'))],
    ['the system without a role', passwordAuth('demo', demoPassword, onSystem)],
    ['a domain without a role', passwordAuth('demo', demoPassword, { domain: { id: 'default' } })],
    ['a forged token', byToken('forged')],
    ['a password of a megabyte', passwordAuth('demo', 'x'.repeat(900_000))],
    ['no method', { auth: { identity: { methods: [] } } }],
  ])('for %s says nothing of why', async (_name, body) => {
    const response = await issue(body)
    expect([response.statusCode, response.json()]).toEqual([401, refused])
    expect(response.headers['www-authenticate']).toBe('Keystone uri="http://cloud.example:8774"')
  })

  it('for a method that there is not says so', async () => {
    const response = await issue({ auth: { identity: { methods: ['totp'], totp: {} } } })
    expect([response.statusCode, response.json().error.message]).toEqual([
      401,
      'Attempted to authenticate with an unsupported method.',
    ])
  })

  it('for two proofs that speak of two users is refused', async () => {
    const body = passwordAuth('demo', demoPassword)
    Object.assign(body.auth.identity, { methods: ['password', 'token'], token: { id: admin } })
    expect((await issue(body)).statusCode).toBe(401)
  })

  it.each<[unknown, RegExp]>([
    [{}, /^Expecting to find auth in request body/],
    [{ auth: {} }, /'identity' is a required property/],
    [{ auth: { identity: { methods: ['password'] } } }, /^Expecting to find password in identity/],
    [{ auth: { identity: { methods: ['password'], password: {} } } }, /^Expecting to find user in password/],
    [
      { auth: { identity: { methods: ['password'], password: { user: { name: 'demo' } } } } },
      /^Expecting to find password in user/,
    ],
    [
      { auth: { identity: { methods: ['password'], password: { user: { name: 'demo', password: 'x' } } } } },
      /^Expecting to find domain in user/,
    ],
    [{ auth: { identity: { methods: ['password'], password: { user: { password: 'x' } } } } }, /id or name must be present/],
    [passwordAuth('demo', demoPassword, {}), /^Expecting to find system, project, domain/],
    [passwordAuth('demo', demoPassword, { project: { name: 'demo' } }), /^Expecting to find domain in project/],
    [passwordAuth('demo', demoPassword, { project: {} }), /id or name must be present/],
    [passwordAuth('demo', demoPassword, 'everything'), /^Expecting to find system, project, domain/],
    [{ auth: { identity: { methods: 'password' } } }, /'password' is not of type 'array'/],
  ])('for %j is a 400 that says what is missing', async (body, message) => {
    const response = await issue(body)
    expect([response.statusCode, response.json().error.message]).toEqual([400, expect.stringMatching(message)])
  })

  it('repeats no password and logs none', async () => {
    api.logLines.length = 0
    const response = await issue({
      auth: { identity: { methods: ['password'], password: { user: { name: 1, password: 'hush-hush' } } } },
    })
    expect(response.statusCode).toBe(400)
    expect(response.body).not.toContain('hush-hush')
    await issue(passwordAuth('demo', 'hush-hush'))
    await issue(passwordAuth('demo', demoPassword))
    expect(api.logLines.join('')).not.toMatch(/hush-hush|demo-secret/)
  })
})

describe('what ends tokens', () => {
  it('DELETE ends one token and no other, at once', async () => {
    const [one, two] = [await api.demo(), await api.demo()]
    const response = await api.send('DELETE', '/v3/auth/tokens', { token: one, headers: { 'x-subject-token': one } })
    expect(response.statusCode).toBe(204)
    expect([await isGood(one), await isGood(two)]).toEqual([false, true])
    const foreign = await api.send('DELETE', '/v3/auth/tokens', { token: two, headers: { 'x-subject-token': admin } })
    expect(foreign.statusCode).toBe(403)
  })

  it('a new password ends all of its user, whoever sets it', async () => {
    const user = await newUser('changing')
    const before = await user.login()
    const change = (body: unknown) => api.send('POST', `/v3/users/${user.id}/password`, { body: { user: body } })
    expect((await change({ original_password: 'wrong', password: 'second-secret' })).statusCode).toBe(401)
    expect((await change({ original_password: 'first-secret', password: 'second-secret' })).statusCode).toBe(204)
    expect(await isGood(before)).toBe(false)
    const after = await api.login('changing', 'second-secret', onProject('demo'))
    expect(await isGood(after)).toBe(true)
    await api.send('PATCH', `/v3/users/${user.id}`, { token: admin, body: { user: { password: 'third-secret' } } })
    expect(await isGood(after)).toBe(false)
    expect(await isGood(await api.login('changing', 'third-secret', onProject('demo')))).toBe(true)
  })

  it('a disabled user, project or domain ends those that stand on it', async () => {
    const user = await newUser('switched')
    const patch = (path: string, body: unknown) => api.send('PATCH', path, { token: admin, body })
    const first = await user.login()
    await patch(`/v3/users/${user.id}`, { user: { enabled: false } })
    expect(await isGood(first)).toBe(false)
    await expect(user.login()).rejects.toThrow('401')
    await patch(`/v3/users/${user.id}`, { user: { enabled: true } })
    const second = await user.login()
    const project = (await check(second)).json().token.project.id
    await patch(`/v3/projects/${project}`, { project: { enabled: false } })
    expect(await isGood(second)).toBe(false)
    await expect(user.login()).rejects.toThrow('401')
    await patch(`/v3/projects/${project}`, { project: { enabled: true } })
    expect(await isGood(await user.login())).toBe(true)
  })

  it('a role that was taken away ends the tokens on its target alone', async () => {
    const user = await newUser('fired')
    const onDemo = await user.login()
    const unscoped = await api.login('fired', 'first-secret', 'unscoped')
    expect((await api.send('DELETE', user.grant, { token: admin })).statusCode).toBe(204)
    expect([await isGood(onDemo), await isGood(unscoped)]).toEqual([false, true])
    await expect(user.login()).rejects.toThrow('401')
  })

  it('a deleted user is nobody any more', async () => {
    const user = await newUser('gone')
    const token = await user.login()
    expect((await api.send('DELETE', `/v3/users/${user.id}`, { token: admin })).statusCode).toBe(204)
    expect(await isGood(token)).toBe(false)
    expect((await check(token)).statusCode).toBe(404)
  })

  it('no token is made from what is being taken away', async () => {
    const user = await newUser('racing')
    const marked = Promise.withResolvers<void>()
    const commit = Promise.withResolvers<void>()
    const [, projectId, , userId] = user.grant.split('/').slice(2) as [string, string, string, string]
    const removal = api.database.transaction(async (tx) => {
      await lockForRevocation(tx)
      await tx.execute(`DELETE FROM role_assignments WHERE user_id = $1`, [userId])
      await markAssignmentRevoked(tx, userId, 'project', projectId)
      marked.resolve()
      await commit.promise
    })
    await marked.promise
    let answered = false
    const outcome = user.login().then(
      () => 'in',
      (error: Error) => error.message,
    )
    void outcome.then(() => (answered = true))
    // It would see the role, which is still there for everybody else, and be younger than the mark.
    const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`
    while (!answered && (await api.database.query(waiting)).length === 0);
    expect(answered).toBe(false)
    commit.resolve()
    await removal
    expect(await outcome).toContain('401')
  })
})

describe('what a token could be scoped to', () => {
  it('is listed for its bearer', async () => {
    const get = async (path: string, token: string) => (await api.send('GET', path, { token })).json()
    const unscoped = await api.login('demo', demoPassword, 'unscoped')
    expect((await get('/v3/auth/projects', unscoped)).projects).toMatchObject([{ name: 'demo' }])
    expect((await get('/v3/auth/domains', unscoped)).domains).toEqual([])
    expect((await get('/v3/auth/system', unscoped)).system).toEqual([])
    expect((await get('/v3/auth/system', admin)).system).toEqual([{ all: true }])
    expect((await get('/v3/auth/catalog', await api.demo())).catalog).toHaveLength(4)
    expect((await api.send('GET', '/v3/auth/catalog', { token: unscoped })).statusCode).toBe(403)
  })
})
