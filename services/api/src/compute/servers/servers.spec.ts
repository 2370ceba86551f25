import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { newId, systemRandom } from '@nubo/kernel'
import { computeRequests } from '../../testing/compute-requests.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
const imageRef = newId(systemRandom)

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
  await api.database.execute(
    `INSERT INTO images (id, project_id, name, status, visibility, disk_format, container_format, size_bytes, virtual_bytes)
     VALUES ($1, 'somebody', 'guest', 'active', 'public', 'raw', 'bare', 1048576, 1048576)`,
    [imageRef],
  )
})
afterAll(() => api?.stop())

const create = (requests: typeof demo, more: Record<string, unknown>) =>
  requests('POST', '/servers', { body: { server: { name: 'guest', imageRef, flavorRef: '1', networks: 'none', ...more } } })

async function newServer(more: Record<string, unknown> = {}): Promise<string> {
  const answer = await create(demo, more)
  expect(answer.status).toBe(202)
  return answer.body.server.id
}

// tempest.api.compute.servers.test_create_server: test_verify_server_details
describe('the address by which a server says that it is reached', () => {
  it.each([
    ['0000:0000:0000:0000:0000:babe:220.12.22.2', '::babe:dc0c:1602'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['', ''],
  ])('is kept in its shortest form: %s as %s', async (given, kept) => {
    const id = await newServer({ accessIPv6: given })
    expect((await demo('GET', `/servers/${id}`)).body.server.accessIPv6).toBe(kept)
    const updated = await demo('PUT', `/servers/${id}`, { body: { server: { accessIPv6: given } } })
    expect(updated.body.server.accessIPv6).toBe(kept)
  })
})

// tempest.api.compute.servers.test_server_actions: test_lock_unlock_server
describe('locking a server', () => {
  it.each([{}, null, 'anything', { locked_reason: 'not looked at' }])(
    'takes whatever is below lock before 2.73: %j',
    async (lock) => {
      const id = await newServer()
      expect((await demo('POST', `/servers/${id}/action`, { version: '2.72', body: { lock } })).status).toBe(202)
      expect((await demo('GET', `/servers/${id}`)).body.server).toMatchObject({ locked: true, locked_reason: null })
    },
  )

  it('has a reason since 2.73, and nothing else', async () => {
    const id = await newServer()
    const lock = (body: unknown) => demo('POST', `/servers/${id}/action`, { version: '2.73', body: { lock: body } })
    expect((await lock({ reason: 'because' })).status).toBe(400)
    expect((await lock({ locked_reason: 'because' })).status).toBe(202)
    expect((await demo('GET', `/servers/${id}`)).body.server.locked_reason).toBe('because')
  })
})

describe('a flavor that nobody was given', () => {
  it("is an administrator's to use, and nobody else's", async () => {
    const flavor = { id: 'hidden', name: 'hidden', ram: 64, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false }
    expect((await admin('POST', '/flavors', { body: { flavor } })).status).toBe(200)
    expect((await create(admin, { flavorRef: 'hidden' })).status).toBe(202)
    expect(await create(demo, { flavorRef: 'hidden' })).toMatchObject({
      status: 400,
      message: 'Flavor hidden could not be found.',
    })
  })
})

// Nova's os_compute_api:servers:create:zero_disk_flavor
describe('a flavor without a disk', () => {
  it("is an administrator's to use: the disk of its servers is as large as whoever made their image likes", async () => {
    const flavor = { id: 'diskless', name: 'diskless', ram: 64, vcpus: 1, disk: 0 }
    expect((await admin('POST', '/flavors', { body: { flavor } })).status).toBe(200)
    expect((await create(admin, { flavorRef: 'diskless' })).status).toBe(202)
    expect(await create(demo, { flavorRef: 'diskless' })).toMatchObject({
      status: 403,
      message: 'Only volume-backed servers are allowed for flavors with zero disk.',
    })
  })
})
