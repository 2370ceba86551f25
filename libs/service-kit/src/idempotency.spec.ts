import 'reflect-metadata'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Body, Controller, HttpCode, Module, Param, Post } from '@nestjs/common'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { anyCaller, policy, TokenVerifier, type Caller, type Scope } from '@nubo/auth'
import {
  CloudError,
  systemClock,
  type Clock,
  type DomainId,
  type KeptAnswer,
  type ProjectId,
  type RequestKey,
  type UserId,
} from '@nubo/kernel'
import { microversion, MicroversionRegistry, novaErrors } from '@nubo/wire'
import {
  Actions,
  AddsWork,
  baseConfiguration,
  createLogger,
  createService,
  CurrentRequestKey,
  Guarded,
  Idempotent,
  KeptAnswers,
  Located,
  NotIdempotent,
  Pressure,
  Operation,
  type Strain,
} from './index.js'

const make = policy('test:things:make', 'Make things', anyCaller)
const act = policy('test:things:act', 'Act on things', anyCaller)

/** What a database does for a service, without the races, which are the database's own. */
class Memory extends KeptAnswers {
  readonly rows = new Map<string, KeptAnswer & { requestDigest: string }>()

  static identityOf = ({ scope, userId, route, keyDigest }: RequestKey) => [scope, userId, route, keyDigest].join(' ')

  keep(key: RequestKey | undefined, body: unknown): void {
    if (key) this.rows.set(Memory.identityOf(key), { ...key.answerTo(body), requestDigest: key.requestDigest })
  }

  async find(key: RequestKey) {
    return this.rows.get(Memory.identityOf(key))
  }

  async count(scope: string) {
    const kept = [...this.rows.keys()].filter((identity) => identity.startsWith(`${scope} `)).length
    return { kept, freeInSeconds: 1_234.5 }
  }
}

const memory = new Memory()
let made = 0

@Controller('v2.1/things')
class Things {
  @Post()
  @HttpCode(201)
  @AddsWork()
  @Guarded(make)
  @Operation('thing.create', { thing: 'thing' })
  @Idempotent({ thing: 'password' })
  @Located(({ thing }: { thing: { name: string } }) => `/v2.1/things/${thing.name}`)
  create(@Body() body: { thing: { name: string } }, @CurrentRequestKey() key: RequestKey | undefined) {
    made += 1
    const { name } = body.thing
    const answer = () => ({ thing: { name, number: made, password: 'hunter2', added: true } })
    if (name === 'broken') throw new CloudError('Conflict', 'It broke.')
    memory.keep(key, answer())
    if (name === 'raced') throw new CloudError('Conflict', 'The other was faster.')
    return answer()
  }

  @Post(':id/action')
  @HttpCode(202)
  @Operation('thing.action')
  @Actions({ stop: { policy: act }, read: { policy: act, notIdempotent: 'It reads.' } })
  @Idempotent()
  act(@Param('id') _id: string, @CurrentRequestKey() key: RequestKey | undefined) {
    made += 1
    memory.keep(key, undefined)
  }

  @Post('tokens')
  @Guarded(make)
  @NotIdempotent('For the test.')
  token(@CurrentRequestKey() key: RequestKey | undefined) {
    return { keyed: key !== undefined }
  }
}

const project = (id: string): Scope => ({
  kind: 'project',
  projectId: id as ProjectId,
  projectName: id,
  projectDomainId: 'default' as DomainId,
})
const scopes: Record<string, Scope> = {
  p1: project('p1'),
  p2: project('p2'),
  domain: { kind: 'domain', domainId: 'p1' as DomainId },
  system: { kind: 'system' },
  unscoped: { kind: 'unscoped' },
}

/** Tokens are 'user@scope'. */
const verifier = {
  verify: (token: string): Partial<Caller> => {
    const [user, scope] = token.split('@')
    return { userId: user as UserId, scope: scopes[scope!]!, roles: ['member'] }
  },
}

const registry = new MicroversionRegistry({ service: 'compute', major: 2, minimum: 1, maximum: 96, legacyHeader: 'x' }, [
  microversion('2.5', 'things are made with 201; what was added shows', {
    statusesBefore: { 'thing.create': 200 },
    responses: { thing: (view) => void delete view['added'] },
  }),
])

const surfaces = () => [
  {
    name: 'compute',
    prefix: '/v2.1',
    errors: novaErrors,
    identityUrl: 'http://cloud/v3',
    jsonMediaTypes: ['application/json', ''],
    requestIdHeaders: [],
    guardsUnknownPaths: true,
    microversions: registry,
  },
]

const mostKeptAnswers = 20
let nowMs = 0
const clock: Clock = { ...systemClock, monotonicMs: () => nowMs }

function serve(controller: new () => object, providers: { provide: unknown; useValue: unknown }[]) {
  @Module({ controllers: [controller], providers: [{ provide: TokenVerifier, useValue: verifier }, ...(providers as never[])] })
  class TestModule {}
  const options = { name: 'test', configurationSchema: baseConfiguration, module: () => TestModule, surfaces }
  const configuration = { log: { level: 'fatal' as const }, listen: { host: '127.0.0.1', port: 0 } }
  return createService(options, configuration, { logger: createLogger('test', 'fatal'), clock, mostKeptAnswers })
}

let app: NestFastifyApplication
let strain: Strain | undefined

beforeAll(async () => {
  app = await serve(Things, [{ provide: KeptAnswers, useValue: memory }])
  app.get(Pressure).watch(() => strain)
})
beforeEach(() => {
  memory.rows.clear()
  made = 0
})
afterAll(() => app?.close())

interface Sent {
  key?: string
  as?: string
  url?: string
  version?: string
  body?: unknown
}

async function send({ key, as = 'ada@p1', url = '/v2.1/things', version = '2.96', body = { thing: { name: 'a' } } }: Sent) {
  const response = await app.inject({
    method: 'POST',
    url,
    headers: {
      'x-auth-token': as,
      'openstack-api-version': `compute ${version}`,
      'content-type': 'application/json',
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const { location, 'idempotent-replayed': replayed, 'content-type': type } = response.headers
  const text = response.body
  return {
    status: response.statusCode,
    body: text === '' ? undefined : JSON.parse(text),
    location,
    replayed,
    type,
    headers: response.headers,
  }
}

describe('a request with an Idempotency-Key', () => {
  it('is carried out once, and answered as it was, but for what is shown once', async () => {
    const first = await send({ key: 'k' })
    expect(first).toMatchObject({
      status: 201,
      replayed: undefined,
      location: expect.stringMatching(/^http:\/\/[^/]+\/v2\.1\/things\/a$/),
    })
    expect(first.body.thing).toEqual({ name: 'a', number: 1, password: 'hunter2', added: true })
    const again = await send({ key: 'k' })
    expect(again).toMatchObject({ status: 201, replayed: 'true', location: first.location, type: first.type })
    expect(again.body.thing).toEqual({ name: 'a', number: 1, added: true })
    expect(made).toBe(1)
    expect(JSON.stringify([...memory.rows])).not.toContain('hunter2')
  })

  it('is answered as it was while no more work is taken on; a new one is refused, and leaves its key free', async () => {
    const first = await send({ key: 'k' })
    strain = { code: 'placements', words: 'Many wait.' }
    try {
      expect(await send({ key: 'k' })).toMatchObject({ status: 201, replayed: 'true', location: first.location })
      for (const key of ['l', undefined]) {
        const refused = await send({ ...(key && { key }) })
        expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
      }
      expect(await send({ key: 'k', body: { thing: { name: 'b' } } })).toMatchObject({ status: 409 })
    } finally {
      strain = undefined
    }
    expect(made).toBe(1)
    expect(await send({ key: 'l' })).toMatchObject({ status: 201, replayed: undefined })
  })

  it('is refused where its tenant has too many answers kept; those that are kept are given, and others go on', async () => {
    nowMs += 60_000
    const as = 'ada@p2'
    for (let number = 0; number < mostKeptAnswers; number++)
      expect(await send({ as, key: `${number}` })).toMatchObject({ status: 201 })
    const refused = await send({ as, key: 'one-too-many' })
    expect(refused).toMatchObject({ status: 429, body: { overLimit: { code: 429, retryAfter: '1235' } } })
    expect(refused.headers['retry-after']).toBe('1235')
    expect(made).toBe(mostKeptAnswers)
    expect(await send({ as, key: '0' })).toMatchObject({ status: 201, replayed: 'true' })
    expect(await send({ as })).toMatchObject({ status: 201 })
    expect(await send({ as: 'ada@p1', key: 'one-too-many' })).toMatchObject({ status: 201 })
    memory.rows.clear()
    nowMs += 1_000
    expect(await send({ as, key: 'one-too-many' })).toMatchObject({ status: 201, replayed: undefined })
  })

  it('that fails for what the one before it made is answered as that one', async () => {
    const raced = await send({ key: 'k', body: { thing: { name: 'raced' } } })
    expect([raced.status, raced.replayed]).toEqual([201, 'true'])
  })

  it('tells of no place of something that was not made', async () => {
    const failed = await send({ key: 'k', body: { thing: { name: 'broken' } } })
    expect([failed.status, failed.location]).toEqual([409, undefined])
  })

  it('is answered in the microversion that it was made in, with its status', async () => {
    const first = await send({ key: 'k', version: '2.4' })
    expect(first.body.thing).toEqual({ name: 'a', number: 1, password: 'hunter2' })
    const again = await send({ key: 'k', version: '2.4' })
    expect(again).toMatchObject({ status: 200, replayed: 'true', body: { thing: { name: 'a', number: 1 } } })
    expect(again.headers['openstack-api-version']).toBe('compute 2.4')
    expect(again.body.thing).not.toHaveProperty('added')
  })

  it('has no body where the first answer had none', async () => {
    const url = '/v2.1/things/a/action'
    const first = await send({ key: 'k', url, body: { stop: null } })
    const again = await send({ key: 'k', url, body: { stop: null } })
    expect(again).toMatchObject({ status: 202, replayed: 'true', body: undefined })
    expect(again.headers['content-length']).toBe(first.headers['content-length'])
    expect(made).toBe(1)
  })

  it('is the same request whatever the order of its keys and its white space', async () => {
    await send({ key: 'k', body: '{"thing":{"name":"a","tags":[1,2],"size":1}}' })
    const again = await send({ key: 'k', body: '{ "thing": { "size": 1.0, "tags": [1, 2],\n "name": "a" } }' })
    expect(again).toMatchObject({ status: 201, replayed: 'true' })
  })

  it.each<[string, Sent, Sent]>([
    ['body', {}, { body: { thing: { name: 'b' } } }],
    ['order of a list', { body: { thing: { name: 'a', tags: [1, 2] } } }, { body: { thing: { name: 'a', tags: [2, 1] } } }],
    ['microversion', {}, { version: '2.95' }],
    ['resource', { url: '/v2.1/things/a/action', body: { stop: null } }, { url: '/v2.1/things/b/action', body: { stop: null } }],
  ])('is refused with another %s', async (_what, one, other) => {
    expect((await send({ key: 'k', ...one })).status).toBeLessThan(300)
    const refused = await send({ key: 'k', ...other })
    expect(refused).toMatchObject({ status: 409, replayed: undefined })
    expect(refused.body.conflictingRequest.message).toMatch(/^This Idempotency-Key was used for another POST \/v2\.1\/things/)
    expect(refused.headers['retry-after']).toBeUndefined()
    expect(made).toBe(1)
  })

  it('is nobody else’s: not of another project, domain, system or user, nor of another route', async () => {
    const callers = ['ada@p1', 'ada@p2', 'ada@domain', 'ada@system', 'ada@unscoped', 'bob@p1']
    for (const as of callers) expect(await send({ key: 'k', as })).toMatchObject({ status: 201, replayed: undefined })
    const elsewhere = await send({ key: 'k', url: '/v2.1/things/a/action', body: { stop: null } })
    expect(elsewhere).toMatchObject({ status: 202, replayed: undefined })
    expect(made).toBe(callers.length + 1)
  })

  it.each([
    ['nothing', ''],
    ['a space', 'a b'],
    ['two of them', 'a, b'],
    ['256 characters', 'k'.repeat(256)],
    ['no ASCII', 'schlüssel'],
  ])('is refused with 400 where the key is %s', async (_what, key) => {
    expect(await send({ key })).toMatchObject({
      status: 400,
      body: { badRequest: { message: expect.stringContaining('Idempotency-Key') } },
    })
    expect(made).toBe(0)
  })

  it('may have 255 characters', async () => {
    expect((await send({ key: '~'.repeat(255) })).status).toBe(201)
    expect((await send({ key: '~'.repeat(255) })).replayed).toBe('true')
  })

  it('is refused where its body is nested deeper than anybody can walk', async () => {
    const deep = `{"thing":{"name":"a","deep":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`
    expect(await send({ key: 'k', body: deep })).toMatchObject({ status: 400, body: { badRequest: {} } })
  })

  it('is as any other where the route or the action takes none', async () => {
    const exempt = await send({ key: 'not a key', url: '/v2.1/things/tokens' })
    expect(exempt.body).toEqual({ keyed: false })
    await send({ key: 'k', url: '/v2.1/things/a/action', body: { read: null } })
    expect(await send({ key: 'k', url: '/v2.1/things/a/action', body: { read: null } })).toMatchObject({ replayed: undefined })
    expect(made).toBe(2)
  })
})

describe('a service', () => {
  @Controller('v2.1')
  class Undecided {
    @Post('things')
    @Guarded(make)
    create() {}
  }

  it('does not start with a POST that says not whether it may be repeated', async () => {
    await expect(serve(Undecided, [])).rejects.toThrow('POST /v2.1/things is neither @Idempotent nor @NotIdempotent')
  })

  it('does not start where nothing keeps the answers', async () => {
    await expect(serve(Things, [])).rejects.toThrow('KeptAnswers')
  })
})
