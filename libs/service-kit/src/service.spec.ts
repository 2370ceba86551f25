import 'reflect-metadata'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Body, Controller, Get, HttpCode, Module, Param, Post, Put, Query } from '@nestjs/common'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import {
  generateTokenKeys,
  policy,
  projectMember,
  projectReader,
  publicTokenKey,
  RevocationList,
  TokenSigner,
  TokenVerifier,
  type Caller,
} from '@nubo/auth'
import { CloudError, systemClock, type DomainId, type ProjectId, type UserId } from '@nubo/kernel'
import { keystoneErrors, microversion, MicroversionRegistry, novaErrors, refuseKeys, sourceOf, withSource } from '@nubo/wire'
import { z } from 'zod'
import {
  Actions,
  AddsWork,
  ApiVersion,
  baseConfiguration,
  createLogger,
  createService,
  CurrentCaller,
  Guarded,
  Health,
  logFields,
  NotIdempotent,
  Metrics,
  Operation,
  Pressure,
  Public,
  servedRoutes,
  StreamsBody,
  type ServiceOptions,
  type Strain,
} from './index.js'

const read = policy('test:things:list', 'List things', projectReader)
const write = policy('test:things:create', 'Make things', projectMember)
const stop = policy('test:things:stop', 'Stop things', projectMember)
const thing = z.strictObject({ thing: z.strictObject({ name: z.string().min(1).max(8), size: z.int().optional() }) })

@Controller('v2.1')
class Things {
  @Get()
  @Public()
  version() {
    return { version: 'x' }
  }

  @Get('things')
  @Guarded(read)
  @Operation('thing.list', { things: ['thing'] })
  list(@CurrentCaller() caller: Caller, @ApiVersion() version: number, @Query('limit') limit?: string) {
    return { things: [withSource({ name: 'a', flavor: { ram: 1 } }, { flavorId: 'f1' })], project: caller.scope, version, limit }
  }

  @Post('things')
  @Guarded(write)
  @AddsWork()
  @Operation('thing.create')
  @NotIdempotent('It keeps nothing.')
  @HttpCode(201)
  create(@Body({ schema: thing }) body: z.infer<typeof thing>) {
    return { ...body, logged: logFields() }
  }

  @Post('things/:id/action')
  @Operation('thing.action')
  @Actions({ stop: { policy: stop }, boom: { policy: stop, addsWork: true } })
  @NotIdempotent('It keeps nothing.')
  @HttpCode(202)
  act(@Param('id') id: string, @Body() body: Record<string, unknown>) {
    if ('boom' in body) throw new Error('a secret detail')
    if (id === 'busy') throw new CloudError('Conflict', 'It is busy.')
  }

  @Put('things/:id/file')
  @Guarded(write)
  @StreamsBody()
  async upload(@Body() body: AsyncIterable<Buffer>) {
    let bytes = 0
    for await (const chunk of body) bytes += chunk.length
    return { bytes }
  }
}

@Controller('v3')
class Identity {
  @Post('things')
  @Public()
  @NotIdempotent('It keeps nothing.')
  create(@Body({ schema: thing }) body: unknown) {
    return body
  }
}

const keys = generateTokenKeys()
const signer = new TokenSigner(keys.privateKeyPem)
const revoked = new Set<string>()

const tokenVerifier = {
  provide: TokenVerifier,
  useFactory: () =>
    new TokenVerifier(
      publicTokenKey(keys.publicKeyPem),
      new RevocationList({ load: () => Promise.resolve({ auditIds: revoked, notBeforeMs: new Map() }) }, systemClock),
      systemClock,
    ),
}

@Module({ controllers: [Things, Identity], providers: [tokenVerifier] })
class ThingsModule {}

const registry = new MicroversionRegistry(
  { service: 'compute', major: 2, minimum: 1, maximum: 96, legacyHeader: 'x-openstack-nova-api-version' },
  [
    microversion('2.5', 'size of things', { requests: { 'thing.create': refuseKeys(['thing'], ['size']) } }),
    microversion('2.2', 'creating answers 201', { statusesBefore: { 'thing.create': 200 } }),
    microversion('2.10', 'things can be stopped', { added: ['thing.action.stop'] }),
    microversion('2.47', 'things embed their flavor', {
      responses: {
        thing: (view, { baseUrl }) => {
          view.flavor = { id: sourceOf<{ flavorId: string }>(view).flavorId, href: baseUrl }
        },
      },
    }),
  ],
)

const lines: string[] = []
const options: ServiceOptions<z.infer<typeof baseConfiguration>> = {
  name: 'test',
  configurationSchema: baseConfiguration,
  module: () => ThingsModule,
  mounts: ['/compute'],
  surfaces: () => [
    {
      name: 'compute',
      prefix: '/v2.1',
      formerPrefix: '/v2',
      errors: novaErrors,
      identityUrl: 'http://cloud/v3',
      jsonMediaTypes: ['application/json', '', 'text/plain'],
      requestIdHeaders: ['X-Compute-Request-Id'],
      guardsUnknownPaths: true,
      microversions: registry,
    },
    {
      name: 'identity',
      prefix: '',
      errors: keystoneErrors,
      identityUrl: 'http://cloud/v3',
      jsonMediaTypes: ['application/json', ''],
      requestIdHeaders: [],
      guardsUnknownPaths: false,
    },
  ],
}

let app: NestFastifyApplication
let token: string

const caller = (roles: string[]): Caller => ({
  userId: 'u1' as UserId,
  userName: 'ada',
  userDomainId: 'default' as DomainId,
  scope: { kind: 'project', projectId: 'p1' as ProjectId, projectName: 'demo', projectDomainId: 'default' as DomainId },
  roles,
  methods: ['password'],
  auditId: 'audit',
  parentAuditId: undefined,
  issuedAtMs: Date.now(),
  expiresAtMs: Date.now() + 3_600_000,
})

beforeAll(async () => {
  const logger = createLogger('test', 'debug', { write: (line) => void lines.push(line) })
  app = await createService(options, { log: { level: 'debug' }, listen: { host: '127.0.0.1', port: 0 } }, { logger })
  token = await signer.sign(caller(['member', 'reader']))
})
afterAll(() => app.close())

const requestId = /^req-[0-9a-f-]{36}$/
type Inject = Parameters<NestFastifyApplication['inject']>[0] & object
const send = (request: Inject & { version?: string; as?: string }) => {
  const { version, as = token, headers, ...rest } = request
  return app.inject({
    ...rest,
    headers: { 'x-auth-token': as, ...(version && { 'openstack-api-version': `compute ${version}` }), ...headers },
  } as never)
}

describe('a service', () => {
  it('answers a reader with both request ids and the version it spoke', async () => {
    const response = await send({ url: '/v2.1/things?limit=3' })
    expect(response.statusCode).toBe(200)
    expect(response.headers['x-openstack-request-id']).toMatch(requestId)
    expect(response.headers['x-compute-request-id']).toBe(response.headers['x-openstack-request-id'])
    expect(response.headers['openstack-api-version']).toBe('compute 2.1')
    expect(response.headers['x-openstack-nova-api-version']).toBe('2.1')
    expect(response.headers['vary']).toContain('OpenStack-API-Version')
    expect(response.json()).toMatchObject({ version: 1, limit: '3', project: { projectId: 'p1' } })
  })

  it('downgrades answers to the version asked for, and leaves the newest alone', async () => {
    const old = await send({ url: '/v2.1/things', version: '2.46', headers: { host: 'cloud.example:8774' } })
    expect(old.json().things[0]).toEqual({ name: 'a', flavor: { id: 'f1', href: 'http://cloud.example:8774' } })
    const latest = await send({ url: '/v2.1/things', version: 'latest' })
    expect(latest.json().things[0]).toEqual({ name: 'a', flavor: { ram: 1 } })
    expect(latest.headers['openstack-api-version']).toBe('compute 2.96')
  })

  it('refuses keys that came later, in the words of Nova', async () => {
    const payload = { thing: { name: 'a', size: 1 } }
    expect((await send({ method: 'POST', url: '/v2.1/things', payload, version: '2.5' })).statusCode).toBe(201)
    const response = await send({ method: 'POST', url: '/v2.1/things', payload, version: '2.4' })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toEqual({
      badRequest: {
        code: 400,
        message:
          "Invalid input for field/attribute thing. Value: {'name': 'a', 'size': 1}. Additional properties are not allowed ('size' was unexpected)",
      },
    })
  })

  it('answers with the status of the version', async () => {
    const payload = { thing: { name: 'a' } }
    expect((await send({ method: 'POST', url: '/v2.1/things', payload })).statusCode).toBe(200)
    expect((await send({ method: 'POST', url: '/v2.1/things', payload, version: '2.2' })).statusCode).toBe(201)
  })

  it.each([
    [
      '2.97',
      406,
      'computeFault',
      'Version 2.97 is not supported by the API. Minimum is 2.1 and maximum is 2.96.',
      'compute 2.97',
    ],
    ['3.1', 406, 'computeFault', 'Version 3.1 is not supported by the API. Minimum is 2.1 and maximum is 2.96.', 'compute 3.1'],
    ['two', 400, 'badRequest', 'API Version String two is of invalid format. Must be of format MajorNum.MinorNum.', undefined],
  ])('refuses version %s', async (version, status, name, message, echoed) => {
    const response = await send({ url: '/v2.1/things', version })
    expect(response.statusCode).toBe(status)
    expect(response.json()).toEqual({ [name]: { code: status, message } })
    expect(response.headers['openstack-api-version']).toBe(echoed)
  })

  it('knows the legacy header, and takes the word meant for compute', async () => {
    const legacy = await send({ url: '/v2.1/things', headers: { 'x-openstack-nova-api-version': '2.3' } })
    expect(legacy.json().version).toBe(3)
    const several = await send({ url: '/v2.1/things', headers: { 'openstack-api-version': 'volume 3.1, compute 2.7' } })
    expect(several.json().version).toBe(7)
  })

  it('has actions with policies and versions of their own', async () => {
    const act = (payload: unknown, version = 'latest', as = token) =>
      send({ method: 'POST', url: '/v2.1/things/7/action', payload: payload as object, version, as })
    expect((await act({ stop: null })).statusCode).toBe(202)
    expect((await act({ stop: null }, '2.9')).json()).toEqual({
      itemNotFound: { code: 404, message: 'The resource could not be found.' },
    })
    expect((await act({ dance: null })).json()).toEqual({
      badRequest: { code: 400, message: 'There is no such action: dance' },
    })
    expect((await act({ constructor: null })).statusCode).toBe(400)
    expect((await act({ stop: null, boom: null })).json().badRequest.message).toBe('Malformed request body')
    expect((await act([])).statusCode).toBe(400)
    const reader = await signer.sign(caller(['reader']))
    expect((await act({ stop: null }, 'latest', reader)).json()).toEqual({
      forbidden: { code: 403, message: "Policy doesn't allow test:things:stop to be performed." },
    })
  })

  it('says 401 as keystonemiddleware does, for known and unknown paths, before it reads the body', async () => {
    for (const url of ['/v2.1/things', '/v2.1/nowhere']) {
      const response = await app.inject({ method: 'POST', url, payload: '{', headers: { 'content-type': 'application/json' } })
      expect(response.statusCode).toBe(401)
      expect(response.headers['www-authenticate']).toBe('Keystone uri="http://cloud/v3"')
      expect(response.json().error).toEqual({
        code: 401,
        message: 'The request you have made requires authentication.',
        title: 'Unauthorized',
      })
    }
    expect((await send({ url: '/v2.1/things', as: 'forged' })).statusCode).toBe(401)
    expect(
      (await send({ url: '/v2.1/things', as: `${token.slice(0, -3)}${token.at(-3) === 'A' ? 'B' : 'A'}AA` })).statusCode,
    ).toBe(401)
  })

  it('answers unknown paths as WebOb does where Nova stands, as Keystone elsewhere', async () => {
    const json = await send({ url: '/v2.1/nowhere', headers: { accept: 'application/json' } })
    expect([json.statusCode, json.json()]).toEqual([
      404,
      { message: 'The resource could not be found.<br /><br />\n\n\n', code: '404 Not Found', title: 'Not Found' },
    ])
    const text = await send({ url: '/v2.1/nowhere', headers: { accept: '' } })
    expect(text.body).toBe('404 Not Found\n\nThe resource could not be found.\n\n   ')
    expect((await send({ url: '/v9' })).json().error.code).toBe(404)
  })

  it.each([
    ['broken JSON', '{', 'application/json', 400, 'badRequest', 'Malformed request body'],
    ['lists in lists', '['.repeat(101) + ']'.repeat(101), 'application/json', 400, 'badRequest', 'Malformed request body'],
    [
      'brackets in a text',
      `["${'['.repeat(200)}\\""]`,
      'application/json',
      400,
      'badRequest',
      `['${'['.repeat(200)}"'] is not of type 'object'`,
    ],
    ['a proto key', '{"__proto__": 1}', 'application/json', 400, 'badRequest', 'Malformed request body'],
    ['not JSON', '<a/>', 'text/xml', 415, 'badMediaType', 'Unsupported Content-Type'],
    ['a stream', 'xx', 'application/octet-stream', 415, 'badMediaType', 'Unsupported Content-Type'],
    ['nothing', '', 'application/json', 400, 'badRequest', "None is not of type 'object'"],
    ['a list', '[1]', 'application/json', 400, 'badRequest', "[1] is not of type 'object'"],
    ['an empty object', '{}', '', 400, 'badRequest', "'thing' is a required property"],
  ])('of %s says what Nova says', async (_name, payload, type, status, name, message) => {
    const response = await send({ method: 'POST', url: '/v2.1/things', payload, headers: { 'content-type': type } })
    expect([response.statusCode, response.json()]).toEqual([status, { [name]: { code: status, message } }])
  })

  it('refuses huge bodies with 413 and huge or malformed paths without a 500', async () => {
    const payload = { thing: { name: 'x'.repeat(1024 * 1024) } }
    expect((await send({ method: 'POST', url: '/v2.1/things', payload })).statusCode).toBe(413)
    expect((await send({ method: 'POST', url: '/v3/things', payload })).json().error).toEqual({
      code: 413,
      message: 'Request is too large.',
      title: 'Payload Too Large',
    })
    expect((await send({ url: `/v2.1/things/${'x'.repeat(9000)}/action` })).statusCode).toBe(404)
    const malformed = await send({ url: '/v2.1/%zz', headers: { accept: 'application/json' } })
    expect([malformed.statusCode, malformed.json().title]).toEqual([400, 'Bad Request'])
    expect((await send({ url: '/v3/%zz' })).json().error).toMatchObject({ code: 400, title: 'Bad Request' })
  })

  it.each([
    [{ thing: { name: '' } }, "Invalid input for field/attribute name. Value: . '' is too short"],
    [
      { thing: { name: 'a too long one' } },
      "Invalid input for field/attribute name. Value: a too long one. 'a too long one' is too long",
    ],
    [{ thing: { name: 5 } }, "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'"],
    [{ thing: { name: null } }, "Invalid input for field/attribute name. Value: None. None is not of type 'string'"],
    [{ thing: {} }, "Invalid input for field/attribute thing. Value: {}. 'name' is a required property"],
    [{ thing: { name: 'a', size: true } }, "Invalid input for field/attribute size. Value: True. True is not of type 'number'"],
    [{ thing: { name: 'a' }, x: 1, y: 2 }, "Additional properties are not allowed ('x', 'y' were unexpected)"],
  ])('of the input %j says what Nova says', async (payload, message) => {
    const response = await send({ method: 'POST', url: '/v2.1/things', payload, version: 'latest' })
    expect(response.json()).toEqual({ badRequest: { code: 400, message } })
  })

  it('words the same input as Keystone where Keystone is asked', async () => {
    const response = await send({ method: 'POST', url: '/v3/things', payload: { thing: { name: 5 } } })
    expect(response.json().error.message).toBe("Invalid input for field 'thing/name': 5 is not of type 'string'")
    const xml = await send({ method: 'POST', url: '/v3/things', payload: '<a/>', headers: { 'content-type': 'text/xml' } })
    expect([xml.statusCode, xml.json().error.message]).toEqual([
      400,
      'Expecting to find application/json in Content-Type header. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
    ])
  })

  it('hides a defect behind its request id, and logs it once with its stack', async () => {
    lines.length = 0
    const response = await send({ method: 'POST', url: '/v2.1/things/7/action', payload: { boom: 1 } })
    const id = response.headers['x-openstack-request-id'] as string
    expect(response.json()).toEqual({
      computeFault: { code: 500, message: `Unexpected API Error. Report it with the request id ${id}.` },
    })
    const told = lines.filter((line) => line.includes('a secret detail'))
    expect(told).toHaveLength(1)
    expect(JSON.parse(told[0]!)).toMatchObject({
      requestId: id,
      projectId: 'p1',
      level: 'error',
      err: { message: 'a secret detail' },
    })
  })

  it('carries the ids of a request to its handler, past the reading of the body', async () => {
    const globalRequestId = 'req-11111111-2222-4333-8444-555555555555'
    const response = await send({
      method: 'POST',
      url: '/v2.1/things',
      payload: { thing: { name: 'a' } },
      headers: { 'x-openstack-request-id': globalRequestId },
    })
    expect(response.json().logged).toEqual({
      requestId: response.headers['x-openstack-request-id'],
      globalRequestId,
      projectId: 'p1',
      userId: 'u1',
    })
  })

  it('hands a stream over as it is, beyond the limit of JSON', async () => {
    const response = await send({
      method: 'PUT',
      url: '/v2.1/things/1/file',
      payload: Buffer.alloc(3_000_000),
      headers: { 'content-type': 'application/octet-stream' },
    })
    expect(response.json()).toEqual({ bytes: 3_000_000 })
  })

  it('serves everything below a mount too, with links that carry it', async () => {
    const response = await send({ url: '/compute/v2.1/things', version: '2.46', headers: { host: 'cloud.example' } })
    expect(response.json().things[0].flavor.href).toBe('http://cloud.example/compute')
    expect((await send({ url: '/compute/v2.1' })).statusCode).toBe(200)
    expect((await send({ url: '/compute' })).statusCode).toBe(404)
    expect((await send({ url: '/computed/v2.1/things' })).statusCode).toBe(404)
  })

  it('serves its oldest microversion at its former place, deaf to versions', async () => {
    const { statusCode, headers, body } = await send({ url: '/v2.1/things', version: '2.1' })
    expect([statusCode, headers['openstack-api-version']]).toEqual([200, 'compute 2.1'])
    for (const version of ['2.96', '2.97', 'nonsense']) {
      const former = await send({ url: '/v2/things', version })
      expect([former.statusCode, former.body]).toEqual([200, body])
      expect(former.headers).not.toHaveProperty('openstack-api-version')
    }
    const mounted = await send({ url: '/compute/v2/things', headers: { host: 'cloud.example' } })
    expect(mounted.json()).toEqual(
      (await send({ url: '/compute/v2.1/things', version: '2.1', headers: { host: 'cloud.example' } })).json(),
    )
    for (const url of ['/v2', '/v2/', '/v22/things', '/v2/nothing']) expect((await send({ url })).statusCode).toBe(404)
  })

  it('refuses NUL, which no text of a record can hold', async () => {
    expect((await send({ url: '/v2.1/things?limit=%00' })).statusCode).toBe(400)
    const payload = { thing: { name: 'a\u0000' } }
    expect((await send({ method: 'POST', url: '/v2.1/things', payload })).statusCode).toBe(400)
  })

  it('reports its health', async () => {
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
    app.get(Health).register('database', () => Promise.resolve())
    expect((await app.inject('/readyz')).json()).toEqual({ ready: true, checks: { database: 'ok' } })
  })

  describe('while there is too much to do', () => {
    let strain: Strain | undefined
    beforeAll(() => app.get(Pressure).watch(() => strain))
    beforeEach(() => void (strain = { code: 'placements', words: '7,000 servers wait' }))
    afterAll(() => void (strain = undefined))

    it('refuses what adds work, in the words of the surface, and says when to come again', async () => {
      const response = await send({ method: 'POST', url: '/v2.1/things', payload: { thing: { name: 'a' } } })
      expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5'])
      expect(response.json()).toEqual({
        serviceUnavailable: {
          code: 503,
          message: 'The cloud has too much to do at the moment to take on more. Try again shortly.',
        },
      })
      const action = await send({ method: 'POST', url: '/v2.1/things/1/action', payload: { boom: null } })
      expect(action.statusCode).toBe(503)
    })

    it('checks tokens and policies before: who may do nothing learns nothing', async () => {
      const anonymous = await app.inject({ method: 'POST', url: '/v2.1/things', payload: {} })
      expect(anonymous.statusCode).toBe(401)
    })

    it('goes on with what adds none', async () => {
      expect((await send({ url: '/v2.1/things' })).statusCode).toBe(200)
      const action = await send({ method: 'POST', url: '/v2.1/things/1/action', version: '2.46', payload: { stop: null } })
      expect(action.statusCode).toBe(202)
    })

    it('is ready all the same, and says so', async () => {
      const response = await app.inject('/readyz')
      expect([response.statusCode, response.json()]).toMatchObject([200, { ready: true, refusing: '7,000 servers wait' }])
    })

    it('takes work on again when there is room', async () => {
      strain = undefined
      const response = await send({ method: 'POST', url: '/v2.1/things', payload: { thing: { name: 'a' } } })
      expect(response.statusCode).toBe(200)
    })
  })

  it('counts requests by the template of their route, and tells of it nowhere that a tenant reaches', async () => {
    await send({ url: '/v2.1/made-up-by-a-client' })
    const text = await app.get(Metrics).text()
    expect(text).toMatch(/^nubo_http_request_duration_seconds_count\{method="GET",route="\/v2\.1\/things",status="200"\} \d+$/m)
    expect(text).toContain('route="/v2.1/things/:id/action",status="503"')
    expect(text).toContain('route="none",status="404"')
    expect(text).toContain('nubo_requests_refused_total{reason="placements"} 2')
    expect(text).not.toContain('made-up')
    expect(text).not.toContain('/healthz')
    expect((await app.inject('/metrics')).statusCode).toBe(404)
  })

  it('knows every route it serves', () => {
    expect(servedRoutes(app).map(({ method, url }) => `${method} ${url}`)).toContain('POST /v2.1/things/:id/action')
  })
})

describe('a service that is not in order', () => {
  const start = (module: new () => object) =>
    createService({ ...options, module: () => module }, { log: { level: 'fatal' }, listen: { host: '127.0.0.1', port: 0 } })

  it('does not start with a route that names no policy', async () => {
    @Controller('v2.1')
    class Open {
      @Get('open')
      open() {
        return {}
      }
    }
    @Module({ controllers: [Open], providers: [tokenVerifier] })
    class OpenModule {}
    await expect(start(OpenModule)).rejects.toThrow('GET /v2.1/open has neither a policy nor @Public()')
  })

  it('does not start with a microversion of an operation that no route has', async () => {
    @Module({ providers: [tokenVerifier] })
    class EmptyModule {}
    await expect(start(EmptyModule)).rejects.toThrow('no route is the operation thing.create')
  })
})
