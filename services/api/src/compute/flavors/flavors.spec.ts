import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { computeRequests } from '../../testing/compute-requests.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let demoProjectId: string

beforeAll(async () => {
  api = await TestApi.start()
  const demoToken = await api.demo()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, demoToken)
  const projects = (await api.send('GET', '/v3/auth/projects', { token: demoToken })).json().projects
  demoProjectId = projects[0].id
})
afterAll(() => api?.stop())

const flavor = (more: Record<string, unknown> = {}) => ({ name: 'f', ram: 64, vcpus: 1, disk: 0, ...more })
const create = (more: Record<string, unknown>, version = '2.96') =>
  admin('POST', '/flavors', { version, body: { flavor: flavor(more) } })
const idsOf = (answer: { body: { flavors: { id: string }[] } }) => answer.body.flavors.map(({ id }) => id)

describe('listing flavors', () => {
  it('shows the flavors of a new cloud in the order of their ids', async () => {
    const answer = await demo('GET', '/flavors')
    expect(answer.status).toBe(200)
    expect(idsOf(answer)).toEqual(['1', '2', '3', '4', '5'])
    expect(answer.body.flavors[0]).toEqual({
      id: '1',
      name: 'm1.nano',
      description: null,
      links: [
        { rel: 'self', href: 'http://cloud.example:8774/v2.1/flavors/1' },
        { rel: 'bookmark', href: 'http://cloud.example:8774/flavors/1' },
      ],
    })
  })

  it('walks in pages, by any key and in both directions', async () => {
    const seen: string[] = []
    let path = '/flavors?limit=2&sort_key=memory_mb&sort_dir=desc'
    for (;;) {
      const { body } = await demo('GET', path)
      seen.push(...body.flavors.map(({ id }: { id: string }) => id))
      const next = body.flavors_links?.[0]
      if (!next) break
      expect(next.rel).toBe('next')
      path = new URL(next.href).pathname.replace('/v2.1', '') + new URL(next.href).search
    }
    expect(seen).toEqual(['5', '4', '3', '2', '1'])
  })

  it.each(['created_at', 'description', 'disabled', 'flavorid', 'is_public', 'rxtx_factor', 'vcpu_weight', 'vcpus'])(
    'pages by %s without losing or repeating any',
    async (key) => {
      const all = idsOf(await demo('GET', `/flavors?sort_key=${key}`))
      const first = idsOf(await demo('GET', `/flavors?sort_key=${key}&limit=3`))
      const rest = idsOf(await demo('GET', `/flavors?sort_key=${key}&marker=${first.at(-1)}`))
      expect([...first, ...rest]).toEqual(all)
      expect(new Set(all).size).toBe(5)
    },
  )

  it('filters by memory and disk, however large the number', async () => {
    expect(idsOf(await demo('GET', '/flavors?minRam=512&minDisk=10'))).toEqual(['4', '5'])
    expect(idsOf(await demo('GET', '/flavors?minRam=99999999999999999999'))).toEqual([])
    expect(idsOf(await demo('GET', '/flavors?minRam=-99999999999999999999'))).toHaveLength(5)
  })

  it.each([
    ['limit=-1', "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"],
    ['limit=x', "Invalid input for query parameters limit. Value: x. 'x' does not match '^[0-9]*$'"],
    ['marker=none', 'marker [none] not found'],
    ['marker=a/b', 'marker [a/b] not found'],
    ['minRam=x', 'Invalid minRam filter [x]'],
    ['minDisk=1.5', 'Invalid minDisk filter [1.5]'],
    ['colour=red', "Additional properties are not allowed ('colour' was unexpected)"],
  ])('refuses ?%s', async (query, message) => {
    expect(await demo('GET', `/flavors?${query}`)).toMatchObject({ status: 400, message })
  })

  it('refuses sort keys and directions that it does not know', async () => {
    expect((await demo('GET', '/flavors?sort_key=colour')).status).toBe(400)
    expect((await demo('GET', '/flavors?sort_dir=up')).status).toBe(400)
  })

  it('ignored unknown parameters before 2.75', async () => {
    expect((await demo('GET', '/flavors/detail?colour=red', { version: '2.74' })).status).toBe(200)
  })

  it('takes the last of a repeated parameter, and no limit as the largest page', async () => {
    expect(idsOf(await demo('GET', '/flavors?limit=4&limit=1'))).toEqual(['1'])
    expect(idsOf(await demo('GET', '/flavors?limit=0'))).toEqual([])
    expect(idsOf(await demo('GET', '/flavors?limit=99999999999999999999'))).toHaveLength(5)
  })

  it('is one statement', async () => {
    const statements: string[] = []
    const { query } = api.database
    api.database.query = function (this: typeof api.database, text: string, ...rest) {
      statements.push(text)
      return Reflect.apply(query, this, [text, ...rest])
    } as typeof query
    try {
      await demo('GET', '/flavors/detail')
    } finally {
      api.database.query = query
    }
    expect(statements.filter((text) => text.includes('flavors'))).toHaveLength(1)
    expect(statements).toHaveLength(1)
  })
})

describe('a flavor', () => {
  it('is created with what is said, and with defaults for the rest', async () => {
    const said = { id: 'big one', name: 'big', ram: '4096', vcpus: 4, disk: 40, swap: 512, description: 'large' }
    const more = { 'OS-FLV-EXT-DATA:ephemeral': 10, rxtx_factor: '1.5', 'os-flavor-access:is_public': 'No' }
    const { status, body } = await create({ ...said, ...more })
    expect(status).toBe(200)
    expect(body.flavor).toEqual({
      id: 'big one',
      name: 'big',
      ram: 4096,
      disk: 40,
      vcpus: 4,
      swap: 512,
      rxtx_factor: 1.5,
      'OS-FLV-EXT-DATA:ephemeral': 10,
      'OS-FLV-DISABLED:disabled': false,
      'os-flavor-access:is_public': false,
      description: 'large',
      extra_specs: {},
      links: expect.any(Array),
    })
    expect((await admin('GET', '/flavors/big%20one')).body).toEqual(body)
    expect((await admin('DELETE', '/flavors/big%20one')).status).toBe(202)
    expect(await admin('GET', '/flavors/big%20one')).toMatchObject({
      status: 404,
      message: 'Flavor big one could not be found.',
    })
    const plain = (await create({ name: 'plain', id: null })).body.flavor
    expect(plain).toMatchObject({ swap: 0, rxtx_factor: 1, 'os-flavor-access:is_public': true, description: null })
    expect(plain.id).toMatch(/^[0-9a-f-]{36}$/)
    await admin('DELETE', `/flavors/${plain.id}`)
  })

  it('is shown to each version as that one knows it', async () => {
    const shown = async (version: string) => (await demo('GET', '/flavors/1', { version })).body.flavor
    expect(Object.keys(await shown('2.54'))).not.toContain('description')
    expect(await shown('2.55')).toMatchObject({ description: null, swap: '' })
    expect(Object.keys(await shown('2.60'))).not.toContain('extra_specs')
    expect(await shown('2.61')).toMatchObject({ extra_specs: {}, swap: '' })
    expect(await shown('2.74')).toMatchObject({ swap: '' })
    expect(await shown('2.75')).toMatchObject({ swap: 0 })
    const brief = (await demo('GET', '/flavors', { version: '2.1' })).body.flavors[0]
    expect(Object.keys(brief)).toEqual(['id', 'name', 'links'])
  })

  it('has a description that can be changed since 2.55', async () => {
    const change = (version: string, description: unknown) =>
      admin('PUT', '/flavors/1', { version, body: { flavor: { description } } })
    expect((await change('2.55', 'small')).body.flavor.description).toBe('small')
    expect((await change('2.96', null)).body.flavor.description).toBeNull()
    expect((await change('2.54', 'old')).status).toBe(404)
    expect((await change('2.55', 'a\nb')).status).toBe(400)
    expect((await change('2.55', 'x'.repeat(65_536))).status).toBe(400)
    expect((await admin('PUT', '/flavors/none', { body: { flavor: { description: 'x' } } })).status).toBe(404)
    expect(await admin('PUT', '/flavors/1', { body: { flavor: {} } })).toMatchObject({
      status: 400,
      message: "Invalid input for field/attribute flavor. Value: {}. 'description' is a required property",
    })
    expect((await create({ description: 'early' }, '2.54')).message).toBe(
      "Invalid input for field/attribute flavor. Value: {'name': 'f', 'ram': 64, 'vcpus': 1, 'disk': 0, 'description': 'early'}. Additional properties are not allowed ('description' was unexpected)",
    )
  })

  it.each([
    [{ ram: 0 }, 'Invalid input for field/attribute ram. Value: 0. 0 is less than the minimum of 1'],
    [{ ram: '0' }, "Invalid input for field/attribute ram. Value: 0. '0' is less than the minimum of 1"],
    [{ ram: 'x' }, "Invalid input for field/attribute ram. Value: x. 'x' does not match '^[0-9]+$'"],
    [{ vcpus: 1.5 }, "Invalid input for field/attribute vcpus. Value: 1.5. 1.5 is not of type 'integer', 'string'"],
    [{ vcpus: true }, "Invalid input for field/attribute vcpus. Value: True. True is not of type 'integer', 'string'"],
    [{ disk: -1 }, 'Invalid input for field/attribute disk. Value: -1. -1 is less than the minimum of 0'],
    [
      { disk: 2_147_483_648 },
      'Invalid input for field/attribute disk. Value: 2147483648. 2147483648 is greater than the maximum of 2147483647',
    ],
    [{ swap: '9'.repeat(400) }, expect.stringContaining('is greater than the maximum of 2147483647')],
    [{ name: '' }, "Invalid input for field/attribute name. Value: . '' is too short"],
    [{ name: ' x' }, expect.stringContaining("An invalid 'name' value was provided.")],
    [{ name: 'a\nb' }, expect.stringContaining("An invalid 'name' value was provided.")],
    [{ name: 'x'.repeat(256) }, expect.stringContaining('is too long')],
    [{ name: 5 }, "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'"],
    [{ id: ' x' }, expect.stringContaining('does not match')],
    [{ id: 'a/b' }, expect.stringContaining('does not match')],
    [{ id: '' }, expect.stringContaining('is too short')],
    [{ rxtx_factor: 0 }, expect.stringContaining('rxtx_factor')],
    [{ rxtx_factor: 'fast' }, expect.stringContaining('rxtx_factor')],
    [{ 'os-flavor-access:is_public': 'maybe' }, expect.stringContaining("'maybe' is not one of [True, 'True'")],
    [{ colour: 'red' }, expect.stringContaining("Additional properties are not allowed ('colour' was unexpected)")],
  ])('is refused with %j', async (more, message) => {
    expect(await create(more)).toMatchObject({ status: 400, message })
  })

  it.each(['ram', 'vcpus', 'disk', 'name'])('is refused without %s', async (key) => {
    const { status, message } = await create({ [key]: undefined })
    expect(status).toBe(400)
    expect(message).toContain(`'${key}' is a required property`)
  })

  it.each([null, [], 'text', {}, { flavor: null }, { flavor: [] }, { flavour: {} }])('is refused as %j', async (body) => {
    expect((await admin('POST', '/flavors', { body })).status).toBe(400)
  })

  it('is refused under a name or an id that is taken', async () => {
    expect(await create({ name: 'm1.nano' })).toMatchObject({
      status: 409,
      message: 'Flavor with name m1.nano already exists.',
    })
    expect(await create({ id: '1' })).toMatchObject({ status: 409, message: 'Flavor with ID 1 already exists.' })
  })

  it('is made once however many ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create({ id: 'raced', name: 'raced' })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409, 409, 409, 409])
    await admin('DELETE', '/flavors/raced')
  })

  it('is not found where there is none, whatever its name', async () => {
    for (const id of ['none', '%00', '%ff', 'a%2Fb', 'x'.repeat(300)])
      for (const method of ['GET', 'DELETE']) {
        const { status } = await admin(method, `/flavors/${id}`).catch(() => ({ status: 404 }))
        expect([400, 404]).toContain(status)
      }
  })

  it('is for administrators to make, change and delete', async () => {
    expect(await demo('POST', '/flavors', { body: { flavor: flavor() } })).toMatchObject({
      status: 403,
      message: "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed.",
    })
    expect((await demo('PUT', '/flavors/1', { body: { flavor: { description: 'x' } } })).status).toBe(403)
    expect((await demo('DELETE', '/flavors/1')).status).toBe(403)
  })
})

describe('a flavor that is not public', () => {
  beforeAll(async () => {
    await create({ id: 'private', name: 'private', 'os-flavor-access:is_public': false })
  })
  afterAll(() => admin('DELETE', '/flavors/private'))

  const act = (action: string, tenant: unknown, { id = 'private', version = '2.96' } = {}) =>
    admin('POST', `/flavors/${id}/action`, { version, body: { [action]: { tenant } } })

  it('is seen by administrators who ask for it', async () => {
    expect(idsOf(await admin('GET', '/flavors'))).not.toContain('private')
    expect(idsOf(await admin('GET', '/flavors?is_public=None'))).toContain('private')
    expect(idsOf(await admin('GET', '/flavors?is_public=false'))).toEqual(['private'])
    expect(await admin('GET', '/flavors?is_public=perhaps')).toMatchObject({
      status: 400,
      message: 'Invalid is_public filter [perhaps]',
    })
  })

  it('is seen by projects that were let in, and by no others', async () => {
    expect(idsOf(await demo('GET', '/flavors?is_public=None'))).not.toContain('private')
    expect((await demo('GET', '/flavors/private')).status).toBe(404)
    expect((await demo('GET', '/flavors/private/os-extra_specs')).status).toBe(404)
    const let_in = { flavor_access: [{ flavor_id: 'private', tenant_id: demoProjectId }] }
    expect(await act('addTenantAccess', demoProjectId)).toMatchObject({ status: 200, body: let_in })
    expect((await admin('GET', '/flavors/private/os-flavor-access')).body).toEqual(let_in)
    expect(idsOf(await demo('GET', '/flavors'))).toContain('private')
    expect((await demo('GET', '/flavors/private')).status).toBe(200)
    expect(await act('addTenantAccess', demoProjectId)).toMatchObject({
      status: 409,
      message: `Flavor access already exists for flavor private and project ${demoProjectId} combination.`,
    })
    expect((await act('removeTenantAccess', demoProjectId)).body).toEqual({ flavor_access: [] })
    expect(idsOf(await demo('GET', '/flavors'))).not.toContain('private')
    expect(await act('removeTenantAccess', demoProjectId)).toMatchObject({
      status: 404,
      message: `Flavor access not found for private / ${demoProjectId} combination.`,
    })
  })

  it('lets in projects that exist, in words of their own', async () => {
    expect(await act('addTenantAccess', 'nobody')).toMatchObject({
      status: 400,
      message: 'Project ID nobody is not a valid project.',
    })
    expect((await act('addTenantAccess', 5)).status).toBe(400)
    expect((await act('addTenantAccess', '')).status).toBe(400)
    expect((await act('removeTenantAccess', 'nobody')).status).toBe(404)
    expect((await act('addTenantAccess', demoProjectId, { id: 'none' })).status).toBe(404)
    expect((await act('giveTenantAccess', demoProjectId)).status).toBe(400)
    expect((await demo('GET', '/flavors/private/os-flavor-access')).status).toBe(403)
  })

  it('differs from a public one, whose access is nobody to give since 2.7', async () => {
    expect(await admin('GET', '/flavors/1/os-flavor-access')).toMatchObject({
      status: 404,
      message: 'Access list not available for public flavors.',
    })
    expect(await act('addTenantAccess', demoProjectId, { id: '1', version: '2.7' })).toMatchObject({
      status: 409,
      message: 'Can not add access to a public flavor.',
    })
    expect((await act('addTenantAccess', demoProjectId, { id: '1', version: '2.6' })).status).toBe(200)
    expect((await act('removeTenantAccess', demoProjectId, { id: '1' })).status).toBe(200)
  })
})

describe('extra specs', () => {
  const path = '/flavors/2/os-extra_specs'
  const give = (specs: unknown, version = '2.96') => admin('POST', path, { version, body: { extra_specs: specs } })

  it('are given, listed, shown, changed and deleted', async () => {
    const specs = { 'hw:cpu_cores': '2', note: 'kept as it is', weight: 3 }
    expect(await give(specs)).toMatchObject({ status: 200, body: { extra_specs: specs } })
    const kept = { 'hw:cpu_cores': '2', note: 'kept as it is', weight: '3' }
    expect((await demo('GET', path)).body).toEqual({ extra_specs: kept })
    expect((await demo('GET', '/flavors/2')).body.flavor.extra_specs).toEqual(kept)
    expect((await demo('GET', `${path}/note`)).body).toEqual({ note: 'kept as it is' })
    expect((await admin('PUT', `${path}/note`, { body: { note: 'other' } })).body).toEqual({ note: 'other' })
    expect((await demo('GET', `${path}/note`)).body).toEqual({ note: 'other' })
    expect(await admin('DELETE', `${path}/note`)).toMatchObject({ status: 200, body: undefined })
    for (const method of ['GET', 'DELETE'])
      expect(await admin(method, `${path}/note`)).toMatchObject({
        status: 404,
        message: 'Flavor 2 has no extra specs with key note.',
      })
    for (const key of ['hw:cpu_cores', 'weight']) await admin('DELETE', `${path}/${key}`)
  })

  it.each([
    [{ 'a/b': 'x' }],
    [{ '': 'x' }],
    [{ a: null }],
    [{ a: true }],
    [{ a: ['x'] }],
    [{ a: 'x'.repeat(256) }],
    [{ a: 'x\0' }],
    [{ a: '\ud800' }],
    ['text'],
    [null],
  ])('are refused as %j', async (specs) => {
    expect((await give(specs)).status).toBe(400)
  })

  it('are refused under a prototype, and not found under one', async () => {
    const body = '{"extra_specs": {"__proto__": "x"}}'
    expect((await admin('POST', path, { body })).status).toBe(400)
    expect((await demo('GET', `${path}/constructor`)).status).toBe(404)
    expect((await admin('DELETE', `${path}/toString`)).status).toBe(404)
  })

  it('are changed one at a time, by the name in the path', async () => {
    expect(await admin('PUT', `${path}/a`, { body: { b: 'x' } })).toMatchObject({
      status: 400,
      message: 'Request body and URI mismatch',
    })
    expect((await admin('PUT', `${path}/a`, { body: { a: 'x', b: 'y' } })).status).toBe(400)
    expect((await admin('PUT', `${path}/a`, { body: {} })).status).toBe(400)
  })

  it('are not lost when several are given at once', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => give({ [`key${index}`]: 'x' })))
    expect(Object.keys((await demo('GET', path)).body.extra_specs)).toHaveLength(10)
    await Promise.all(Array.from({ length: 10 }, (_, index) => admin('DELETE', `${path}/key${index}`)))
    expect((await demo('GET', path)).body.extra_specs).toEqual({})
  })

  it('are held against what is known of them since 2.86', async () => {
    const wrong = { 'hw:cpu_policy': 'sharrred' }
    expect(await give(wrong)).toMatchObject({
      status: 400,
      message: "Validation failed; 'sharrred' is not one of: dedicated, shared, mixed.",
    })
    expect((await give(wrong, '2.85')).status).toBe(200)
    await admin('DELETE', `${path}/hw:cpu_policy`)
  })

  it('are for administrators to give', async () => {
    expect((await demo('POST', path, { body: { extra_specs: { a: 'b' } } })).status).toBe(403)
    expect((await demo('PUT', `${path}/a`, { body: { a: 'b' } })).status).toBe(403)
    expect((await demo('DELETE', `${path}/a`)).status).toBe(403)
  })
})
