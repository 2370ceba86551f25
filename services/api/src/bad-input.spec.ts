import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { systemClock } from '@nubo/kernel'
import { servedRoutes, type ServedRoute } from '@nubo/service-kit'
import { nonsense, spoilt } from './testing/nonsense.js'
import { routeSchemas, sample, type RouteSchemas } from './testing/route-schemas.js'
import { TestApi, type TestRequest } from './testing/test-api.js'

// Whatever comes in, no route answers 500, and what it answers has the shape of its API.

let api: TestApi
let admin: string
let routes: readonly ServedRoute[]
let schemas: Map<string, RouteSchemas>

beforeAll(async () => {
  // Guessed passwords would wait longer and longer.
  api = await TestApi.start({ clock: { ...systemClock, sleep: async () => undefined } })
  admin = await api.admin()
  routes = servedRoutes(api.app).filter(({ method, url }) => method !== 'HEAD' && !url.endsWith('z'))
  schemas = routeSchemas(api.app)
})
afterAll(() => api.stop())

const takesBody = ({ method }: ServedRoute) => method === 'POST' || method === 'PUT' || method === 'PATCH'
const schemasOf = ({ method, url }: ServedRoute) => schemas.get(`${method} ${url}`) ?? {}
const withIds = (url: string, id: string) => url.replace(/:\w+/g, id)
const someId = '00000000-0000-4000-8000-000000000000'
const newest = { 'openstack-api-version': 'compute 2.96' }

/** What went wrong with one request; undefined where all is well. */
async function wrong(method: string, url: string, request: TestRequest): Promise<string | undefined> {
  const response = await api.send(method, url, { token: admin, ...request })
  const { statusCode, body } = response
  const told = `${method} ${url.slice(0, 200)} ${JSON.stringify(request).slice(0, 300)}: ${statusCode} ${body.slice(0, 200)}`
  if (statusCode >= 500)
    return `${told}\n      ${api.logLines.findLast((text) => text.includes('"level":"error"'))?.slice(0, 500)}`
  return statusCode < 400 || hasShape(url, statusCode, body) ? undefined : `no error body of its API: ${told}`
}

function hasShape(url: string, status: number, body: string): boolean {
  const json = JSON.parse(body) as Record<string, { code?: unknown; message?: unknown; type?: unknown }>
  if (url.startsWith('/v2.0') && status !== 401) return Boolean(json['NeutronError']?.type && json['NeutronError'].message)
  const fault = url.startsWith('/v3') ? json['error'] : Object.values(json)[0]
  const isFault = fault?.code === status && typeof fault.message === 'string' && fault.message !== ''
  // What Nova's router and middleware answer.
  const isWebOb = !url.startsWith('/v3') && typeof json['title'] === 'string' && String(json['code']).startsWith(String(status))
  return isFault || isWebOb
}

interface Try {
  url: string
  request: TestRequest
}

/** No more than a pool of connections keeps up with. */
const atOnce = 20

/** Sends every try of every route, and finds nothing wrong. */
async function walk(chosen: readonly ServedRoute[], tries: (route: ServedRoute) => readonly Try[]): Promise<void> {
  const found: (string | undefined)[] = []
  for (const route of chosen) {
    const all = tries(route)
    for (let start = 0; start < all.length; start += atOnce)
      found.push(
        ...(await Promise.all(all.slice(start, start + atOnce).map(({ url, request }) => wrong(route.method, url, request)))),
      )
  }
  expect(found.filter((text) => text !== undefined).join('\n')).toBe('')
}

/** The same body for every route that takes one. */
const walkBodies = (body: string, headers: Record<string, string> = {}) =>
  walk(routes.filter(takesBody), ({ url }) => [
    { url: withIds(url, someId), request: { body, headers: { ...newest, ...headers } } },
  ])

describe('bodies', () => {
  it.each([
    ['broken JSON', '{"server": '],
    ['nothing', ''],
    ['a list', '[]'],
    ['a text', '"text"'],
    ['null', 'null'],
    ['a number', '12345678901234567890'],
    ['an empty object', '{}'],
    ['a proto key', '{"__proto__": {"admin": true}}'],
    ['NUL', '{"server": {"name": "a\\u0000b"}}'],
    ['half a character', '{"server": {"name": "\\ud800"}, "user": {"name": "\\ud800"}}'],
    ['deep nesting', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['deep nesting where it is read', `{"server": ${'{"metadata":'.repeat(20_000)}1${'}'.repeat(20_000)}}`],
    [
      'deep nesting where anything is read',
      `{"port": {"network_id": "${someId}", "allowed_address_pairs": ${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
    ],
    ['too much', `{"server": "${'x'.repeat(1_100_000)}"}`],
  ])('of %s', async (_name, body) => {
    await walkBodies(body)
  })

  it.each([
    ...['text/xml', 'text/plain', 'application/octet-stream', 'multipart/form-data', 'application/json; charset=latin1'],
    ...['nonsense', ''],
  ])('of type %s', async (type) => {
    await walkBodies('<server/>', { 'content-type': type })
  })

  it('with every part of them replaced by nonsense', async () => {
    expect([...schemas.values()].filter(({ body }) => body).length).toBeGreaterThan(20)
    await walk(routes.filter(takesBody), (route) => {
      const { body } = schemasOf(route)
      return (body ? spoilt(sample(body)) : []).map((spoiltBody) => ({
        url: withIds(route.url, someId),
        request: { body: JSON.stringify(spoiltBody), headers: newest },
      }))
    })
  }, 120_000)

  it('with nonsense for every action', async () => {
    const values = [...nonsense, { type: 'NONE' }, { type: 5 }, { length: 'x' }, { length: 1e99 }, { tenant: 5 }]
    await walk(routes, ({ url, declaration: { actions } }) =>
      Object.keys(actions ?? {}).flatMap((action) =>
        values.map((value) => ({
          url: withIds(url, someId),
          request: { body: JSON.stringify({ [action]: value }), headers: newest },
        })),
      ),
    )
  })
})

/** Something that may get past the schema. */
function bodyFor(route: ServedRoute): string {
  const { body } = schemasOf(route)
  const [action] = Object.keys(route.declaration.actions ?? {})
  return JSON.stringify(body ? sample(body) : action === undefined ? {} : { [action]: null })
}

const ids = [
  ...['nope', someId, someId.replaceAll('0', 'A'), '-1', '2147483648', '9'.repeat(30), '%F0%9F%92%A5', '%C0%80', '%zz', '%00'],
  ...['..%2f..%2fetc%2fpasswd', "';--", 'x'.repeat(300), 'x'.repeat(5_000), '%20'],
]

it.each(ids.map((id) => ({ id, told: id.slice(0, 40) })))(
  'ids such as $told',
  async ({ id }) => {
    await walk(
      routes.filter(({ url }) => url.includes(':')),
      (route) =>
        ['2.1', '2.52', '2.96'].map((version) => ({
          url: withIds(route.url, id),
          request: {
            headers: { 'openstack-api-version': `compute ${version}` },
            ...(takesBody(route) && { body: bodyFor(route) }),
          },
        })),
    )
  },
  30_000,
)

const commonQuery = [
  ...['limit', 'marker', 'sort_key', 'sort_dir', 'name', 'status', 'changes-since', 'changes-before', 'all_tenants'],
  ...[
    'deleted',
    'image',
    'flavor',
    'ip',
    'host',
    'tags',
    'not-tags',
    'power_state',
    'user_id',
    'project_id',
    'locked',
    'reserved',
  ],
  ...[
    'is_public',
    'minRam',
    'minDisk',
    'tenant_id',
    'binary',
    'hypervisor_hostname_pattern',
    'with_servers',
    'domain_id',
    'enabled',
  ],
]
const worstValues = ['', '-1', '2147483648', '(', '%F0%9F%92%A5', '275760-09-13']
const queryValues = [
  ...[...worstValues, '0', '1.5', '9'.repeat(40), 'x', '%ED%A0%80', '%', "';--", '[', '\\', '*', 'null', 'true', 'None'],
  ...['2026-99-99T00:00:00Z', 'x'.repeat(3_000), someId],
]

it('query parameters', async () => {
  await walk(
    routes.filter(({ method }) => method === 'GET'),
    (route) => {
      const { query } = schemasOf(route)
      const url = withIds(route.url, someId)
      const declared = (query ? Object.keys(sample(query) as object) : []).flatMap((name) =>
        queryValues.map((value) => `${encodeURIComponent(name)}=${value}`),
      )
      // What the others ask of lists; that of a single record is read by nobody.
      const common = /:\w+$/.test(route.url) ? [] : commonQuery.flatMap((name) => worstValues.map((value) => `${name}=${value}`))
      const odd = ['limit=1&limit=2&name=a&name=b', 'name[]=a', '__proto__=1&constructor=2', '&&=&']
      return [...declared, ...common, ...odd].map((text) => ({ url: `${url}?${text}`, request: { headers: newest } }))
    },
  )
}, 120_000)

it.each<Record<string, string>>([
  { 'openstack-api-version': 'compute' },
  { 'openstack-api-version': 'compute 2' },
  { 'openstack-api-version': 'compute 2.999999999999999999999' },
  { 'openstack-api-version': ',,,' },
  { 'x-openstack-nova-api-version': 'latest please' },
  { accept: 'nonsense;;;q=x,' },
  { host: 'evil"><script>' },
  { 'x-forwarded-host': 'evil/../', 'x-forwarded-proto': 'javascript' },
  { 'x-openstack-request-id': 'req-nonsense' },
  { 'x-subject-token': 'nonsense' },
])('headers such as %j', async (headers) => {
  for (const { method, url } of routes) {
    const response = await api.send(method, withIds(url, someId), { token: admin, headers })
    const told = [method, url, response.body]
    expect([...told, response.statusCode < 500, response.body.includes('<script>')]).toEqual([...told, true, false])
  }
})
