import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import { password, projectId } from '../testing/fake-identity.js'
import { nubo as bareNubo } from '../testing/test-world.js'

stopCloudsAfterEach()

describe('logging in', () => {
  it('finds Keystone v3 below its root, keeping the host that it reached', async () => {
    const { cloud, nubo } = await aCloud()
    expect(await nubo('token issue --quiet')).toMatchObject({ code: 0, stdout: `${[...cloud.tokens][0]}\n` })
    expect(cloud.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /identity',
      'POST /identity/v3/auth/tokens',
    ])
    expect(cloud.requests[1]!.json()).toEqual({
      auth: {
        identity: { methods: ['password'], password: { user: { name: 'demo', domain: { name: 'Default' }, password } } },
        scope: { project: { name: 'demo', domain: { name: 'Default' } } },
      },
    })
  })

  it('takes an address that names /v3 at its word', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('token issue', { environment: { OS_AUTH_URL: `${cloud.url}/identity/v3/` } })).code).toBe(0)
    expect(cloud.requests).toHaveLength(1)
  })

  it.each([
    ['domain', { OS_PROJECT_NAME: '', OS_DOMAIN_NAME: 'Default' }, { domain: { name: 'Default' } }],
    ['system', { OS_PROJECT_NAME: '', OS_SYSTEM_SCOPE: 'all' }, { system: { all: true } }],
    ['project by id', { OS_PROJECT_NAME: '', OS_PROJECT_ID: projectId }, { project: { id: projectId } }],
    ['nothing', { OS_PROJECT_NAME: '' }, undefined],
  ])('asks for the scope %s', async (_name, environment, scope) => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('token issue', { environment })).code).toBe(0)
    expect(cloud.requests.at(-1)!.json().auth.scope).toEqual(scope)
  })

  it('exchanges a token, and uses an application credential', async () => {
    const { cloud } = await aCloud()
    cloud.tokens.add('old-token')
    const byToken = { OS_AUTH_URL: `${cloud.url}/identity`, OS_TOKEN: 'old-token', OS_PROJECT_ID: projectId }
    expect((await bareNubo('token issue', { environment: byToken })).code).toBe(0)
    expect(cloud.requests.at(-1)!.json().auth.identity).toEqual({ methods: ['token'], token: { id: 'old-token' } })
    const byCredential = {
      OS_AUTH_URL: `${cloud.url}/identity`,
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: 'c1',
      OS_APPLICATION_CREDENTIAL_SECRET: password,
    }
    expect((await bareNubo('token issue', { environment: byCredential })).code).toBe(0)
    expect(cloud.requests.at(-1)!.json().auth).toEqual({
      identity: { methods: ['application_credential'], application_credential: { id: 'c1', secret: password } },
    })
  })

  it('asks for the password where none is configured, and only on a terminal', async () => {
    const { nubo } = await aCloud()
    expect((await nubo('token issue', { environment: { OS_PASSWORD: '' }, secret: password })).code).toBe(0)
    expect(await nubo('token issue', { environment: { OS_PASSWORD: '' } })).toMatchObject({
      code: 2,
      stderr: 'nubo: No password: set OS_PASSWORD, or password in clouds.yaml or secure.yaml\n',
    })
  })

  it('says 4 with the words of the cloud when the password is wrong', async () => {
    const { nubo } = await aCloud()
    expect(await nubo('server list', { environment: { OS_PASSWORD: 'wrong' } })).toMatchObject({
      code: 4,
      stdout: '',
      stderr: 'nubo: The request you have made requires authentication. (HTTP 401, req-11111111-2222-3333-4444-555555555555)\n',
    })
  })

  it('gets a new token when the old one runs out', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer({
      status: 'ACTIVE',
      next: [{}, { 'OS-EXT-STS:task_state': 'powering-off' }, { status: 'SHUTOFF' }],
    })
    const outcome = await nubo(`server stop ${server.id} --wait`, { beforeSleep: () => cloud.tokens.clear() })
    expect(outcome).toMatchObject({ code: 0 })
    expect(cloud.sent('POST', /auth\/tokens/)).toHaveLength(2)
  })
})

describe('finding services', () => {
  it('takes the configured region and interface, and says when there is none', async () => {
    const { nubo } = await aCloud({ regions: ['RegionOne', 'RegionTwo'] })
    expect((await nubo('image list', { environment: { OS_REGION_NAME: 'RegionTwo' } })).code).toBe(0)
    expect(await nubo('image list', { environment: { OS_REGION_NAME: 'RegionSix' } })).toMatchObject({
      code: 1,
      stderr: "nubo: This cloud has no image service with a public address in the region 'RegionSix'\n",
    })
  })

  it('takes an override in the place of the catalog', async () => {
    const { cloud, nubo } = await aCloud()
    expect((await nubo('image list', { environment: { OS_IMAGE_ENDPOINT_OVERRIDE: `${cloud.url}/image/v2` } })).code).toBe(0)
    expect((await nubo('image list', { environment: { OS_IMAGE_ENDPOINT_OVERRIDE: `${cloud.url}/elsewhere` } })).code).toBe(3)
  })

  it.each(['/v2.1', `/v2.1/${projectId}`, ''])('negotiates with a catalog that says /compute%s', async (computePath) => {
    const { cloud, nubo } = await aCloud({ computePath })
    cloud.addServer({ name: 'web' })
    expect((await nubo('server list --json')).json()).toMatchObject([{ name: 'web' }])
    const [list] = cloud.sent('GET', /servers\/detail/)
    expect(list!.path).toBe(`/compute/v2.1${computePath.endsWith(projectId) ? `/${projectId}` : ''}/servers/detail`)
    expect(list!.headers).toMatchObject({ 'openstack-api-version': 'compute 2.96', 'x-openstack-nova-api-version': '2.96' })
  })

  it.each([
    ['2.60', '2.60'],
    ['2.96', '2.96'],
    ['2.104', '2.96'],
    ['2.1', '2.1'],
  ])('speaks to a cloud up to %s in %s', async (computeMaximum, spoken) => {
    const { cloud, nubo } = await aCloud({ computeMaximum })
    expect((await nubo('server list')).code).toBe(0)
    expect(cloud.sent('GET', /servers\/detail/)[0]!.headers['openstack-api-version']).toBe(`compute ${spoken}`)
  })

  it('sends no microversion to a Nova that has none', async () => {
    const { cloud, nubo } = await aCloud({ computeMaximum: undefined, computePath: `/v2/${projectId}` })
    expect((await nubo('server list')).code).toBe(0)
    expect(cloud.sent('GET', /servers\/detail/)[0]!.headers).not.toHaveProperty('openstack-api-version')
  })

  it('speaks the version that it is told to, where the cloud has it', async () => {
    const { cloud, nubo } = await aCloud({ computeMaximum: '2.60' })
    expect((await nubo('server list --os-compute-api-version 2.37')).code).toBe(0)
    expect(cloud.sent('GET', /servers\/detail/)[0]!.headers['openstack-api-version']).toBe('compute 2.37')
    expect(await nubo('server list --os-compute-api-version 2.90')).toMatchObject({
      code: 2,
      stderr: "nubo: This cloud's compute API goes from 2.1 to 2.60: 2.90 is not among them\n",
    })
  })
})

describe('when the cloud is not as it should be', () => {
  it('says 6 where there is nobody', async () => {
    const outcome = await bareNubo('server list', {
      environment: { OS_AUTH_URL: 'http://127.0.0.1:1/identity', OS_USERNAME: 'u', OS_PASSWORD: 'p' },
    })
    expect(outcome).toMatchObject({
      code: 6,
      stderr: 'nubo: Cannot reach http://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
    })
  })

  it('says that the outcome is unknown when the answer to a change is lost', async () => {
    const { cloud, nubo } = await aCloud()
    const server = cloud.addServer()
    cloud.on('DELETE', /servers/, () => 'hang up')
    const outcome = await nubo(`server delete ${server.id}`)
    expect(outcome.code).toBe(6)
    expect(outcome.stderr).toMatch(/whether it was carried out is not known\n$/)
    expect(cloud.sent('DELETE', /servers/)).toHaveLength(1)
  })

  it('says what it means when a login page answers instead of an API', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /servers\/detail/, () => ({ headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' }))
    expect((await nubo('server list')).stderr).toMatch(/did not answer with JSON: is this address an OpenStack service\?\n$/)
  })

  it('says so when an answer breaks off', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /servers\/detail/, () => ({ headers: { 'content-length': '100' }, body: '{"servers":', breakOff: true }))
    expect(await nubo('server list')).toMatchObject({
      code: 6,
      stderr: `nubo: ${cloud.url} broke off in the middle of its answer\n`,
    })
  })

  it('does not take the token along to another host', async () => {
    const { cloud, nubo } = await aCloud()
    const other = await aCloud()
    cloud.on('GET', /servers\/detail/, () => ({
      status: 302,
      headers: { location: `${other.cloud.url}/compute/v2.1/servers/detail` },
    }))
    expect((await nubo('server list')).code).toBe(4)
    expect(other.cloud.requests.at(-1)!.headers).not.toHaveProperty('x-auth-token')
  })

  it('gives up on redirects without end', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /servers\/detail/, (request) => ({ status: 302, headers: { location: request.path } }))
    expect((await nubo('server list')).stderr).toMatch(/redirects without end/)
  })
})

describe('--debug', () => {
  it('shows requests and answers, and no secret', async () => {
    const { cloud, nubo } = await aCloud()
    const outcome = await nubo('token issue --debug')
    const token = [...cloud.tokens][0]!
    expect(outcome.stderr).toContain('> POST')
    expect(outcome.stderr).toContain('"name":"demo"')
    expect(outcome.stderr).toContain('< 201')
    expect(outcome.stderr).not.toContain(password)
    expect(outcome.stderr).not.toContain(token)
    cloud.tokens.add('old-token')
    const exchanged = await nubo('server list --debug', { environment: { OS_USERNAME: '', OS_TOKEN: 'old-token' } })
    expect(exchanged.code).toBe(0)
    for (const secret of cloud.tokens) expect(exchanged.stderr).not.toContain(secret)
  })

  it('hides user data and the password that the cloud makes up', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    const outcome = await nubo('server create web --image debian --flavor small --user-data package.json --debug')
    expect(outcome.code).toBe(0)
    expect(outcome.stderr).toContain('"user_data":"(hidden)"')
    expect(outcome.stdout + outcome.stderr).not.toContain('made-up-by-nova')
  })
})
