import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { servedRoutes } from '@nubo/service-kit'
import fc from 'fast-check'
import { adminRoles, ImageWorld, RunningService, type Client } from './image-service.js'

let world: ImageWorld
let service: RunningService
let alice: Client
let admin: Client
let imageId: string

beforeAll(async () => {
  world = await ImageWorld.make()
  service = await RunningService.start(world)
  alice = await service.client('alice')
  admin = await service.client('operators', adminRoles)
  imageId = (await alice.create({ name: 'x', tags: ['t'], property: 'p' })).id
  await alice.post(`/v2/images/${imageId}/members`, { member: 'bob' })
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
})

const contentTypes = [
  undefined,
  'application/json',
  'application/openstack-images-v2.1-json-patch',
  'application/openstack-images-v2.0-json-patch',
  'application/octet-stream',
  'text/plain',
  'nonsense',
]

const parameters = [
  'x',
  '',
  '.',
  '%00',
  '%ff',
  '%2e%2e%2f',
  '😀',
  'x'.repeat(5000),
  "'; DROP TABLE images; --",
  '__proto__',
  'null',
  '-1',
]

/** Fills a route's path with one value; an image's id stays a real one in half of the cases. */
const pathOf = (url: string, value: string, realImage: boolean) =>
  url.replace(/:(\w+)/g, (_, name: string) => (name === 'image_id' && realImage ? imageId : value))

async function statusOf(
  method: string,
  path: string,
  contentType: string | undefined,
  body: string | undefined,
): Promise<number> {
  const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType }
  const answer = await alice.request(method, path, { headers, body: method === 'GET' ? undefined : body })
  return answer.status
}

const badJson = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.string(),
  fc.constantFrom(
    '{',
    '[]',
    '{}',
    'null',
    '7',
    '"x"',
    '[[]]',
    '[{}]',
    '[null]',
    '{"__proto__":{"x":1}}',
    '\ufeff{}',
    '{"name":"\\u0000"}',
    '{"tags":["\\ud800"]}',
  ),
  fc
    .record({ op: fc.constantFrom('add', 'replace', 'remove', 'x'), path: fc.string(), value: fc.jsonValue({ maxDepth: 2 }) })
    .map((change) => JSON.stringify([change])),
  fc
    .dictionary(
      fc.constantFrom('name', 'id', 'tags', 'min_disk', 'owner', 'visibility', 'protected', 'member', 'status', 'x'),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map((body) => JSON.stringify(body)),
)

it('no route answers 500, or takes what it should not, whatever it is asked', async () => {
  const routes = servedRoutes(service.app).filter((route) => route.method !== 'HEAD')
  expect(routes.length).toBeGreaterThan(60)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.constantFrom(...parameters),
      fc.boolean(),
      fc.constantFrom(...contentTypes),
      badJson,
      fc.constantFrom(
        '',
        '?limit=1',
        '?marker=',
        '?name=in:"',
        '?size_min=1e9',
        '?created_at=gt:0',
        '?tag=%f0%9f%98%80&tag=',
        '?sort=',
        '?a[b]=c',
      ),
      async (route, value, realImage, contentType, body, query) => {
        const status = await statusOf(route.method, pathOf(route.url, value, realImage) + query, contentType, body)
        expect(status).toBeLessThan(500)
      },
    ),
    { numRuns: 1500 },
  )
}, 120_000)

it('no listing answers 500, whatever its query', async () => {
  const name = fc.constantFrom(
    'name',
    'id',
    'status',
    'size',
    'size_min',
    'size_max',
    'min_ram',
    'tag',
    'owner',
    'created_at',
    'updated_at',
    'protected',
    'os_hidden',
    'visibility',
    'member_status',
    'limit',
    'marker',
    'sort',
    'sort_key',
    'sort_dir',
    'checksum',
    'property',
    'x_min',
    'x_max',
  )
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e400',
      '99999999999999999999',
      'in:',
      'in:a,"b',
      'eq:',
      'gt:2020-01-01T00:00:00Z',
      'gte:9999999-01-01',
      'lt:0000-00-00T99:99:99Z',
      'name:asc',
      'created_at:desc,id:asc',
      'true',
      'null',
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 5 }), fc.boolean(), async (pairs, asAdmin) => {
      const { status } = await (asAdmin ? admin : alice).get(`/v2/images?${new URLSearchParams(pairs)}`)
      expect([200, 400]).toContain(status)
    }),
    { numRuns: 600 },
  )
}, 120_000)

it('a body of more than a mebibyte is a 413', async () => {
  expect(await statusOf('POST', '/v2/images', 'application/json', JSON.stringify({ name: 'x'.repeat(2 << 20) }))).toBe(413)
})

it('every route but the public ones asks for a token, and its policy for a role', async () => {
  const stranger = await service.client('nobody', ['something'])
  for (const route of servedRoutes(service.app)) {
    const path = pathOf(route.url, 'x', true)
    if (route.declaration.public) continue
    expect([path, (await service.anonymous().request(route.method, path)).status]).toEqual([path, 401])
    const isOpen = ['get_schemas', 'get_import_methods', 'try_method'].includes(route.declaration.policy!.name)
    if (!isOpen)
      expect([route.method, path, (await stranger.request(route.method, path)).status]).toEqual([route.method, path, 403])
  }
})

it('a reader changes nothing, and another project sees nothing, on any route', async () => {
  const [reader, bob] = await Promise.all([service.client('alice', ['reader']), service.client('carol')])
  const { id } = await alice.create({ visibility: 'private', name: 'secret' })
  const before = (await admin.get(`/v2/images/${id}`)).body
  for (const route of servedRoutes(service.app).filter(({ url }) => url.includes(':image_id') && url.startsWith('/v2'))) {
    const path = route.url.replace(':image_id', id).replace(/:\w+/, 'x')
    const headers = {
      'content-type': route.url.endsWith('/file') ? 'application/octet-stream' : 'application/openstack-images-v2.1-json-patch',
    }
    const body = route.method === 'GET' || route.method === 'HEAD' ? undefined : '[]'
    if (route.declaration.policy!.name === 'try_method') continue
    const seen = await bob.request(route.method, path, { headers, body })
    // A member's body is read before the image is looked for.
    expect([route.method, path, [404, 400].includes(seen.status)]).toEqual([route.method, path, true])
    const read = await reader.request(route.method, path, { headers, body })
    if (body !== undefined) expect([route.method, path, read.status]).toEqual([route.method, path, 403])
  }
  expect((await admin.get(`/v2/images/${id}`)).body).toEqual(before)
})
