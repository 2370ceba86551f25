import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemRandom } from '@nubo/kernel'
import { servedRoutes } from '@nubo/service-kit'
import { adminRoles, ImageWorld, RunningService, type Client } from './test/image-service.js'

let world: ImageWorld
let service: RunningService
let alice: Client
let bob: Client

beforeAll(async () => {
  world = await ImageWorld.make()
  service = await RunningService.start(world)
  ;[alice, bob] = await Promise.all([service.client('alice', adminRoles), service.client('bob')])
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
})

const fresh = () => `n-${newId(systemRandom)}`

async function post(path: string, json: unknown, { key, as = alice }: { key: string; as?: Client }) {
  const headers = { 'idempotency-key': key }
  const { status, headers: answered, body } = await as.request('POST', path, { headers, ...(json !== undefined && { json }) })
  return { status, body, location: answered.get('location'), replayed: answered.get('idempotent-replayed') }
}

async function imageThatIs(status: string): Promise<string> {
  const { id } = await alice.create({ visibility: 'shared' })
  await service.db.execute('UPDATE images SET status = $2 WHERE id = $1', [id, status])
  return id
}

interface Example {
  subject?: () => Promise<string>
  body?: unknown
  /** Another request: one of another body where there is a body, else one for another image. */
  other?: unknown
}

const examples: Record<string, Example> = {
  'POST /v2/images': {
    body: { name: 'a', disk_format: 'raw', container_format: 'bare', note: 'a' },
    other: { name: 'a', disk_format: 'raw', container_format: 'bare', note: 'b' },
  },
  'POST /v2/images/:image_id/actions/deactivate': { subject: () => imageThatIs('active') },
  'POST /v2/images/:image_id/actions/reactivate': { subject: () => imageThatIs('deactivated') },
  'POST /v2/images/:image_id/members': {
    subject: () => imageThatIs('queued'),
    body: { member: 'bob' },
    other: { member: 'eve' },
  },
}

const everything = async () =>
  JSON.stringify(
    await Promise.all(['images', 'image_members'].map((table) => service.db.query(`SELECT * FROM ${table} t ORDER BY t::text`))),
  )

describe('every POST of the image service', () => {
  it('takes an Idempotency-Key and is tried here, but for those that are refused', () => {
    const posts = servedRoutes(service.app).filter(({ method }) => method === 'POST')
    const name = ({ url }: { url: string }) => `POST ${url}`
    const taking = posts.filter(({ declaration }) => declaration.idempotent)
    expect(taking.map(name).toSorted()).toEqual(Object.keys(examples).toSorted())
    const exempt = posts.filter(({ declaration }) => !declaration.idempotent)
    expect(new Set(exempt.map(({ declaration }) => declaration.notIdempotent))).toEqual(new Set(['It is refused.']))
  })

  it.each(Object.keys(examples))('is carried out once with one key: %s', async (name) => {
    const { subject, body, other } = examples[name]!
    const pathTo = async () => name.split(' ')[1]!.replace(':image_id', (await subject?.()) ?? '')
    const [path, elsewhere, key] = [await pathTo(), await pathTo(), fresh()]
    const first = await post(path, body, { key })
    expect([Math.floor(first.status / 100), first.replayed, first.body]).toEqual([2, null, first.body])
    const after = await everything()
    expect(await post(path, body, { key })).toEqual({ ...first, replayed: 'true' })
    expect(await post(other ? path : elsewhere, other, { key })).toMatchObject({ status: 409, replayed: null })
    expect(await everything()).toBe(after)
    expect(await post(path, body, { key, as: bob })).toMatchObject({ replayed: null })
  })

  it('makes one image, however many equal requests race', async () => {
    const [name, key] = [fresh(), fresh()]
    const request = () => post('/v2/images', { name, disk_format: 'raw', container_format: 'bare' }, { key })
    const answers = await Promise.all(Array.from({ length: 20 }, request))
    const made = await service.db.query<{ id: string }>('SELECT id FROM images WHERE name = $1', [name])
    expect(made).toHaveLength(1)
    for (const { status, body } of answers) if (status !== 409) expect([status, body.id]).toEqual([201, made[0]!.id])
    expect(answers.filter(({ status, replayed }) => status === 201 && replayed === null)).toHaveLength(1)
  })

  it('is tried again after it failed', async () => {
    const [path, key] = [`/v2/images/${await imageThatIs('queued')}/actions/deactivate`, fresh()]
    expect((await post(path, undefined, { key })).status).toBe(403)
    await service.db.execute(`UPDATE images SET status = 'active' WHERE status = 'queued'`)
    expect(await post(path, undefined, { key })).toMatchObject({ status: 204, replayed: null })
  })
})
