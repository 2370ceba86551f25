import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ImageWorld, RunningService, type Client } from '../test/image-service.js'

let world: ImageWorld
let service: RunningService
let alice: Client

beforeAll(async () => {
  world = await ImageWorld.make()
  service = await RunningService.start(world, { propertyBytes: 1000 })
  alice = await service.client('alice')
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
})

const refusal = { status: 413, body: { message: expect.stringContaining('Maximum: 1000') } }

it('a new image has no more of properties than is allowed, names counted', async () => {
  expect(await alice.post('/v2/images', { name: 'x', p: 'v'.repeat(1000) })).toMatchObject(refusal)
  expect(await alice.post('/v2/images', { name: 'x', ['\u00e4'.repeat(250)]: 'v'.repeat(501) })).toMatchObject(refusal)
  expect((await alice.post('/v2/images', { name: 'x', p: 'v'.repeat(999) })).status).toBe(201)
})

// A megabyte at a time made an image of 128 MB, and a list of some of them the end of the service.
it('an image does not get more of them change by change, but loses them', async () => {
  const { id } = await alice.create({ first: 'v'.repeat(600) })
  const second = { op: 'add', path: '/second', value: 'v'.repeat(600) }
  expect(await alice.patch(id, [second])).toMatchObject(refusal)
  expect((await alice.patch(id, [{ op: 'remove', path: '/first' }, second])).status).toBe(200)
})
