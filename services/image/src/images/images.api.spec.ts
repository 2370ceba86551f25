import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { adminRoles, ImageWorld, RunningService, type Client } from '../test/image-service.js'

let world: ImageWorld
let service: RunningService
let alice: Client
let bob: Client
let admin: Client
let reader: Client

beforeAll(async () => {
  world = await ImageWorld.make()
  service = await RunningService.start(world)
  ;[alice, bob, admin, reader] = await Promise.all([
    service.client('alice'),
    service.client('bob'),
    service.client('operators', adminRoles),
    service.client('alice', ['reader']),
  ])
})
afterAll(async () => {
  await service?.stop()
  await world?.stop()
})
beforeEach(async () => {
  await service.db.execute('DELETE FROM images')
})

/** Cases with a short title each. */
const titled = (cases: [status: number, body: unknown, message: string][]) =>
  cases.map(([status, body, message]) => [status, JSON.stringify(body).slice(0, 60), body, message] as const)

const names = async (client: Client, query: string) =>
  ((await client.get(`/v2/images${query}`)).body.images as { name: string }[]).map((image) => image.name)

describe('versions', () => {
  it('are shown to anybody: 300 at the root, 200 where they are asked for', async () => {
    const choices = await service.anonymous().get('/')
    expect(choices.status).toBe(300)
    expect(choices.body.versions[0]).toEqual({
      id: 'v2.9',
      status: 'CURRENT',
      links: [{ rel: 'self', href: `${service.url}/v2/` }],
    })
    expect((await service.anonymous().get('/versions')).status).toBe(200)
  })

  it('is all that is shown without a token', async () => {
    for (const path of ['/v2/images', '/v2/schemas/image', '/v2', '/v2/nothing']) {
      const answer = await service.anonymous().get(path)
      expect([path, answer.status]).toEqual([path, 401])
      expect(answer.headers.get('www-authenticate')).toBe('Keystone uri="http://127.0.0.1:5000/v3"')
    }
  })
})

describe('creating an image', () => {
  it('answers with every attribute', async () => {
    const answer = await alice.post('/v2/images', { name: 'debian', tags: ['a', 'b', 'a'], os_distro: 'debian', min_disk: 2 })
    expect(answer.status).toBe(201)
    const { id, created_at, updated_at, ...rest } = answer.body
    expect(answer.headers.get('location')).toBe(`${service.url}/v2/images/${id}`)
    expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(updated_at).toBe(created_at)
    expect(rest).toEqual({
      name: 'debian',
      disk_format: null,
      container_format: null,
      visibility: 'shared',
      size: null,
      virtual_size: null,
      status: 'queued',
      checksum: null,
      protected: false,
      min_ram: 0,
      min_disk: 2,
      owner: 'alice',
      os_hidden: false,
      os_hash_algo: null,
      os_hash_value: null,
      tags: ['a', 'b'],
      os_distro: 'debian',
      self: `/v2/images/${id}`,
      file: `/v2/images/${id}/file`,
      schema: '/v2/schemas/image',
    })
  })

  it('takes an id of the client, once', async () => {
    const id = 'ABCDEF01-2345-4789-8bcd-ef0123456789'
    expect((await alice.create({ id })).id).toBe(id.toLowerCase())
    const again = await bob.post('/v2/images', { id })
    expect(again.status).toBe(409)
    expect(again.body.message).toContain(`Image ID ${id.toLowerCase()} already exists!`)
  })

  // OSSN-0075: whoever takes the id of an image that was deleted gives their own bytes to all who still name it.
  it('takes the id of no image that was deleted', async () => {
    const { id } = await alice.create({ visibility: 'community' })
    expect((await alice.delete(`/v2/images/${id}`)).status).toBe(204)
    const again = await bob.post('/v2/images', { id, visibility: 'community' })
    expect(again.status).toBe(409)
    expect(again.body.message).toContain(`Image ID ${id} already exists!`)
    expect((await alice.get(`/v2/images/${id}`)).status).toBe(404)
  })

  it.each(
    titled([
      [400, { name: 7 }, "name: 7 is not of type 'string'"],
      [400, { disk_format: 'vmdk' }, "disk_format: 'vmdk' is not one of"],
      [400, { container_format: 'ova' }, "container_format: 'ova' is not one of"],
      [400, { name: 'x'.repeat(256) }, 'is too long'],
      [400, { min_disk: -1 }, 'negative'],
      [400, { min_disk: 1e10 }, ''],
      [400, { min_ram: 1.5 }, ''],
      [400, { visibility: 'secret' }, "'secret' is not one of"],
      [400, { tags: 'a' }, ''],
      [400, { tags: ['x'.repeat(256)] }, ''],
      [400, { protected: 'yes' }, ''],
      [400, { id: 'x' }, 'does not match'],
      [400, { owner: null }, ''],
      [400, { property: 7 }, "property: 7 is not of type 'string'"],
      [400, { property: { a: 1 } }, ''],
      [400, { ['p'.repeat(256)]: 'x' }, '255'],
      [400, { name: 'a\0b' }, ''],
      [400, { property: '\ud800' }, ''],
      [400, [], ''],
      [400, 'text', 'Unexpected body type'],
      [403, { status: 'active' }, "Attribute 'status' is read-only."],
      [403, { self: '/x' }, "Attribute 'self' is read-only."],
      [403, { os_hash_value: 'x' }, "Attribute 'os_hash_value' is read-only."],
      [403, { locations: [] }, ''],
      [403, { deleted: 'x' }, "Attribute 'deleted' is reserved."],
      [403, { os_glance_import_task: 'x' }, 'is reserved.'],
      [403, { visibility: 'public' }, 'You are not authorized to complete publicize_image action.'],
      [403, { owner: 'bob' }, "You are not permitted to create images owned by 'bob'."],
      [413, { tags: Array.from({ length: 129 }, (_, index) => `${index}`) }, 'Attempted: 129, Maximum: 128'],
      [413, Object.fromEntries(Array.from({ length: 129 }, (_, index) => [`p${index}`, 'x'])), 'image properties'],
    ]),
  )('answers %i to %s', async (status, _, body, message) => {
    const answer = await alice.post('/v2/images', body)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toContain(message)
  })

  it('is for members, and public images are for admins', async () => {
    expect((await reader.post('/v2/images', {})).status).toBe(403)
    expect((await admin.create({ visibility: 'public', owner: 'bob' })).owner).toBe('bob')
  })

  it('words errors as the Accept header wants', async () => {
    const html = await alice.get('/v2/images/x', { accept: '*/*' })
    expect(html.headers.get('content-type')).toBe('text/html; charset=UTF-8')
    expect(html.bytes.toString()).toContain('<h1>404 Not Found</h1>')
    const text = await alice.get('/v2/images/x', { accept: 'text/plain' })
    expect(text.bytes.toString()).toContain('404 Not Found\n\nNo image found with ID x')
  })
})

describe('who sees an image', () => {
  it('that is private: its project and admins', async () => {
    const { id } = await alice.create({ visibility: 'private' })
    expect((await alice.get(`/v2/images/${id}`)).status).toBe(200)
    expect((await reader.get(`/v2/images/${id}`)).status).toBe(200)
    expect((await admin.get(`/v2/images/${id}`)).status).toBe(200)
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/file'],
      ['PUT', '/tags/x'],
      ['POST', '/actions/deactivate'],
      ['GET', '/members'],
    ] as const) {
      expect([path, (await bob.request(method, `/v2/images/${id}${path}`)).status]).toEqual([path, 404])
    }
    expect((await bob.patch(id, [{ op: 'replace', path: '/name', value: 'mine' }])).status).toBe(404)
    expect((await bob.upload(id, Buffer.from('x'))).status).toBe(404)
    expect(await names(bob, '')).toEqual([])
    expect(await names(admin, '')).toEqual(['image'])
  })

  it('that is public: everybody, who may not change it', async () => {
    const { id } = await admin.create({ visibility: 'public', name: 'public' })
    expect(await names(bob, '')).toEqual(['public'])
    expect((await bob.delete(`/v2/images/${id}`)).status).toBe(403)
    expect((await bob.request('PUT', `/v2/images/${id}/tags/x`)).status).toBe(403)
    expect((await bob.upload(id, Buffer.from('x'))).status).toBe(403)
    const patched = await bob.patch(id, [{ op: 'replace', path: '/name', value: 'mine' }])
    expect(patched.status).toBe(403)
    expect(patched.body.message).toContain('You are not authorized to complete modify_image action.')
  })

  it('that is of the community: who asks for it', async () => {
    const { id } = await alice.create({ visibility: 'community', name: 'common' })
    expect(await names(bob, '')).toEqual([])
    expect(await names(bob, '?visibility=community')).toEqual(['common'])
    expect(await names(bob, '?visibility=all')).toEqual(['common'])
    expect(await names(alice, '')).toEqual(['common'])
    expect((await bob.get(`/v2/images/${id}`)).status).toBe(200)
  })

  it('that is shared: those it is shared with, and in their lists once they accepted', async () => {
    const { id } = await alice.create({ name: 'shared' })
    const members = `/v2/images/${id}/members`
    expect((await bob.get(`/v2/images/${id}`)).status).toBe(404)
    const added = await alice.post(members, { member: 'bob' })
    expect(added.status).toBe(200)
    expect(added.body).toEqual({
      member_id: 'bob',
      image_id: id,
      status: 'pending',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      schema: '/v2/schemas/member',
    })
    expect((await bob.get(`/v2/images/${id}`)).status).toBe(200)
    expect(await names(bob, '')).toEqual([])
    expect(await names(bob, '?member_status=pending')).toEqual(['shared'])
    expect((await alice.request('PUT', `${members}/bob`, { json: { status: 'accepted' } })).status).toBe(403)
    expect((await bob.request('PUT', `${members}/bob`, { json: { status: 'accepted' } })).body.status).toBe('accepted')
    expect(await names(bob, '')).toEqual(['shared'])
    expect(await names(bob, '?visibility=shared&member_status=all')).toEqual(['shared'])
    expect((await bob.delete(`/v2/images/${id}`)).status).toBe(403)
    expect((await bob.post(members, { member: 'carol' })).status).toBe(403)
    expect((await bob.delete(`${members}/bob`)).status).toBe(403)
    expect((await alice.delete(`${members}/bob`)).status).toBe(204)
    expect((await bob.get(`/v2/images/${id}`)).status).toBe(404)
  })
})

describe('members', () => {
  it('are shown whole to the owner, and to a member itself alone', async () => {
    const { id } = await alice.create()
    for (const member of ['bob', 'carol']) await alice.post(`/v2/images/${id}/members`, { member })
    const ids = (answer: { body: any }) => answer.body.members.map((member: { member_id: string }) => member.member_id)
    expect(ids(await alice.get(`/v2/images/${id}/members`))).toEqual(['bob', 'carol'])
    expect(ids(await bob.get(`/v2/images/${id}/members`))).toEqual(['bob'])
    expect((await bob.get(`/v2/images/${id}/members/carol`)).status).toBe(404)
    expect((await alice.get(`/v2/images/${id}/members/carol`)).body.member_id).toBe('carol')
  })

  it.each([
    [400, undefined],
    [400, {}],
    [400, { member: '' }],
    [400, { member: 7 }],
    [400, { member: ['bob'] }],
    [400, { member: 'a\0b' }],
    [400, { member: 'x'.repeat(256) }],
    [400, []],
    [400, 'bob'],
  ])('adding answers %i to %j', async (status, body) => {
    const { id } = await alice.create()
    expect((await alice.post(`/v2/images/${id}/members`, body)).status).toBe(status)
  })

  it('are added once, to shared images alone, up to a limit', async () => {
    const { id } = await alice.create()
    expect((await alice.post(`/v2/images/${id}/members`, { member: 'bob' })).status).toBe(200)
    expect((await alice.post(`/v2/images/${id}/members`, { member: 'bob' })).status).toBe(409)
    const mine = await alice.create({ visibility: 'private' })
    expect((await alice.post(`/v2/images/${mine.id}/members`, { member: 'bob' })).status).toBe(403)
    expect((await alice.get(`/v2/images/${mine.id}/members`)).status).toBe(403)
    const answers = await Promise.all(
      Array.from({ length: 130 }, (_, index) => alice.post(`/v2/images/${id}/members`, { member: `p${index}` })),
    )
    const counts = Object.groupBy(answers, (answer) => String(answer.status))
    expect([counts['200']!.length, counts['413']!.length]).toEqual([127, 3])
  })

  it('say what they say of it in three words', async () => {
    const { id } = await alice.create()
    await alice.post(`/v2/images/${id}/members`, { member: 'bob' })
    for (const body of [{ status: 'maybe' }, {}, [], undefined, { status: null }]) {
      expect((await bob.request('PUT', `/v2/images/${id}/members/bob`, { json: body })).status).toBe(400)
    }
    expect((await bob.request('PUT', `/v2/images/${id}/members/carol`, { json: { status: 'accepted' } })).status).toBe(404)
    expect((await alice.delete(`/v2/images/${id}/members/nobody`)).status).toBe(404)
  })
})

describe('changing an image', () => {
  it('adds, replaces and removes', async () => {
    const { id } = await alice.create({ kept: 'k', gone: 'g', tags: ['old'] })
    const { status, body } = await alice.patch(id, [
      { op: 'replace', path: '/name', value: 'renamed' },
      { op: 'add', path: '/new~1er', value: 'n' },
      { op: 'add', path: '/kept', value: 'k2' },
      { op: 'remove', path: '/gone' },
      { op: 'replace', path: '/tags', value: ['b', 'a'] },
      { op: 'replace', path: '/os_hidden', value: true },
      { op: 'replace', path: '/min_ram', value: 64 },
      { op: 'replace', path: '/visibility', value: 'private' },
    ])
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'renamed', 'new/er': 'n', kept: 'k2', tags: ['b', 'a'], os_hidden: true, min_ram: 64 })
    expect(body).not.toHaveProperty('gone')
    expect((await alice.get(`/v2/images/${id}`)).body).toEqual(body)
  })

  it('takes the form of before, where an addition must be one', async () => {
    const { id } = await alice.create({ here: 'x' })
    const send = (changes: unknown) =>
      alice.request('PATCH', `/v2/images/${id}`, {
        headers: { 'content-type': 'application/openstack-images-v2.0-json-patch' },
        body: JSON.stringify(changes),
      })
    expect(
      (
        await send([
          { add: '/new', value: '1' },
          { replace: '/here', value: 'y' },
        ])
      ).body,
    ).toMatchObject({ new: '1', here: 'y' })
    expect((await send([{ add: '/here', value: '1' }])).status).toBe(409)
    expect((await send([{ add: '/a', replace: '/b', value: '1' }])).status).toBe(400)
    expect((await send([{ value: '1' }])).status).toBe(400)
  })

  it.each(
    titled([
      [400, {}, 'JSON array'],
      [400, ['x'], 'must be JSON objects'],
      [400, [{ path: '/name', value: 'x' }], 'Unable to find `op`'],
      [400, [{ op: 'move', path: '/name', value: 'x' }], 'Invalid operation: `move`'],
      [400, [{ op: 'add', value: 'x' }], "Unable to find 'path'"],
      [400, [{ op: 'add', path: 'name', value: 'x' }], 'does not start with "/"'],
      [400, [{ op: 'add', path: 7, value: 'x' }], ''],
      [400, [{ op: 'add', path: '/a//b', value: 'x' }], 'adjacent'],
      [400, [{ op: 'add', path: '/', value: 'x' }], ''],
      [400, [{ op: 'add', path: '/a/', value: 'x' }], 'end with'],
      [400, [{ op: 'add', path: '/a~2', value: 'x' }], 'escape sequence'],
      [400, [{ op: 'add', path: '/tags/-', value: 'x' }], 'Invalid JSON pointer'],
      [400, [{ op: 'add', path: '/a' }], 'requires a member named "value"'],
      [400, [{ op: 'replace', path: '/name', value: 7 }], "name: 7 is not of type 'string'"],
      [400, [{ op: 'add', path: '/property', value: null }], ''],
      [400, [{ op: 'replace', path: '/min_disk', value: -1 }], ''],
      [403, [{ op: 'replace', path: '/status', value: 'active' }], "Attribute 'status' is read-only."],
      [403, [{ op: 'replace', path: '/id', value: 'x' }], "Attribute 'id' is read-only."],
      [403, [{ op: 'add', path: '/locations/-', value: {} }], 'locations'],
      [403, [{ op: 'add', path: '/__proto__', value: 'x' }], 'reserved'],
      [403, [{ op: 'remove', path: '/name' }], 'Property name may not be removed.'],
      [403, [{ op: 'replace', path: '/visibility', value: 'public' }], 'publicize_image'],
      [403, [{ op: 'replace', path: '/owner', value: 'bob' }], "Owner can't be updated by non admin."],
      [409, [{ op: 'replace', path: '/missing', value: 'x' }], 'Property missing does not exist.'],
      [409, [{ op: 'remove', path: '/missing' }], 'Property missing does not exist.'],
      [409, [{ op: 'remove', path: '/toString' }], 'Property toString does not exist.'],
      [413, [{ op: 'replace', path: '/tags', value: Array.from({ length: 129 }, (_, index) => `${index}`) }], ''],
    ]),
  )('answers %i to %s', async (status, _, changes, message) => {
    const image = await alice.create({ property: 'p' })
    const answer = await alice.patch(image.id, changes)
    expect(answer.status).toBe(status)
    expect(answer.body.message).toContain(message)
    expect((await alice.get(`/v2/images/${image.id}`)).body).toEqual(image)
  })

  it('wants to be told in which form the changes are', async () => {
    const { id } = await alice.create()
    const answer = await alice.request('PATCH', `/v2/images/${id}`, { json: [] })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('accept-patch')).toBe(
      'application/openstack-images-v2.0-json-patch, application/openstack-images-v2.1-json-patch',
    )
  })

  it('loses none of many changes at once', async () => {
    const { id } = await alice.create()
    await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => alice.patch(id, [{ op: 'add', path: `/p${index}`, value: 'x' }])),
      ...Array.from({ length: 20 }, (_, index) => alice.request('PUT', `/v2/images/${id}/tags/t${index}`)),
    ])
    const { body } = await alice.get(`/v2/images/${id}`)
    expect(body.tags).toHaveLength(20)
    expect(Object.keys(body).filter((name) => /^p\d+$/.test(name))).toHaveLength(20)
  })
})

describe('tags', () => {
  it('come and go one by one', async () => {
    const { id } = await alice.create({ tags: ['a'] })
    const tag = (name: string) => `/v2/images/${id}/tags/${encodeURIComponent(name)}`
    expect((await alice.request('PUT', tag('b/c'))).status).toBe(204)
    expect((await alice.request('PUT', tag('a'))).status).toBe(204)
    expect((await alice.get(`/v2/images/${id}`)).body.tags).toEqual(['a', 'b/c'])
    expect((await alice.delete(tag('a'))).status).toBe(204)
    expect((await alice.delete(tag('a'))).status).toBe(404)
    expect((await alice.request('PUT', tag('x'.repeat(256)))).status).toBe(400)
    expect((await reader.request('PUT', tag('d'))).status).toBe(403)
  })
})

describe('deleting an image', () => {
  it('answers 204, then 404', async () => {
    const { id } = await alice.create()
    expect((await alice.delete(`/v2/images/${id}`)).status).toBe(204)
    const again = await alice.delete(`/v2/images/${id}`)
    expect(again.status).toBe(404)
    expect(again.body.message).toContain(`Failed to find image ${id} to delete`)
  })

  it('is refused while it is protected, to admins too', async () => {
    const { id } = await alice.create({ protected: true })
    const answer = await admin.delete(`/v2/images/${id}`)
    expect(answer.status).toBe(403)
    expect(answer.body.message).toContain(`Image ${id} is protected and cannot be deleted.`)
    await alice.patch(id, [{ op: 'replace', path: '/protected', value: false }])
    expect((await alice.delete(`/v2/images/${id}`)).status).toBe(204)
  })
})

describe('listing images', () => {
  beforeEach(async () => {
    const whole = (bytes: number, more: Record<string, unknown>) => alice.createWhole(Buffer.alloc(bytes), more)
    await whole(10, { name: 'a', tags: ['x'], os_distro: 'debian' })
    await whole(30, { name: 'b, c', tags: ['x', 'y'], os_distro: 'debian' })
    await whole(20, { name: 'c', protected: true })
    await alice.create({ name: 'd', disk_format: 'qcow2' })
    await alice.create({ name: 'hidden', os_hidden: true })
  })

  it.each([
    ['', ['d', 'c', 'b, c', 'a']],
    ['?name=a', ['a']],
    ['?name=in:a,c', ['c', 'a']],
    ['?name=in:%22b,%20c%22,a', ['b, c', 'a']],
    ['?status=queued', ['d']],
    ['?status=in:active,queued', ['d', 'c', 'b, c', 'a']],
    ['?disk_format=qcow2', ['d']],
    ['?container_format=bare&name=d', ['d']],
    ['?visibility=shared', ['d', 'c', 'b, c', 'a']],
    ['?visibility=private', []],
    ['?owner=alice&name=a', ['a']],
    ['?owner=bob', []],
    ['?size=20', ['c']],
    ['?size_min=20', ['c', 'b, c']],
    ['?size_max=20', ['c', 'a']],
    ['?size_min=11&size_max=29', ['c']],
    ['?min_ram=0&name=a', ['a']],
    ['?tag=x', ['b, c', 'a']],
    ['?tag=x&tag=y', ['b, c']],
    ['?protected=true', ['c']],
    ['?protected=false&status=active', ['b, c', 'a']],
    ['?os_hidden=true', ['hidden']],
    ['?os_distro=debian', ['b, c', 'a']],
    ['?os_distro=debian&name=a', ['a']],
    ['?unknown=x', []],
    ['?created_at=gte:2020-01-01T00:00:00Z&name=a', ['a']],
    ['?created_at=lt:2020-01-01T00:00:00Z', []],
    ['?updated_at=gt:2020-01-01&limit=1', ['d']],
    ['?sort=name:asc', ['a', 'b, c', 'c', 'd']],
    ['?sort=name', ['d', 'c', 'b, c', 'a']],
    ['?sort_key=size&sort_dir=asc', ['d', 'a', 'c', 'b, c']],
    ['?sort_key=status&sort_dir=asc&sort_key=name&sort_dir=desc', ['c', 'b, c', 'a', 'd']],
    ['?sort=disk_format:desc,size:asc', ['a', 'c', 'b, c', 'd']],
    ['?limit=2', ['d', 'c']],
    ['?limit=0', []],
  ])('with %s gives %j', async (query, expected) => {
    expect(await names(alice, query)).toEqual(expected)
  })

  it('finds times to the second, as they are shown', async () => {
    const [image] = (await alice.get('/v2/images?name=a')).body.images
    expect(await names(alice, `?name=a&created_at=eq:${image.created_at}`)).toEqual(['a'])
    expect(await names(alice, `?name=a&created_at=${image.created_at}`)).toEqual(['a'])
    expect(await names(alice, `?name=a&created_at=neq:${image.created_at}`)).toEqual([])
  })

  it.each([
    ['?limit=x', 'limit param must be an integer'],
    ['?limit=-1', 'limit param must be positive'],
    ['?marker=x', 'No image found with ID x'],
    ['?marker=6b29fc40-ca47-4067-b31d-00dd010662da', 'No image found with ID'],
    ['?sort=name:up', 'Invalid sort direction: up'],
    ['?sort=colour', 'Invalid sort key: colour'],
    ['?sort=name&sort_key=id', 'cannot be combined'],
    ['?sort_key=name&sort_dir=asc&sort_dir=desc', 'does not match'],
    ['?sort_key=', 'Invalid sort key'],
    ['?visibility=secret', 'Invalid visibility value: secret'],
    ['?member_status=maybe', 'Invalid status: maybe'],
    ['?os_hidden=perhaps', "'os_hidden' filter"],
    ['?protected=True', "'protected' filter"],
    ['?size_min=x', 'non-numeric'],
    ['?size=99999999999999999999', 'non-numeric'],
    ['?name=foo:bar', "unknown operator 'foo'"],
    ['?name=in:%22a', 'The quote is not closed'],
    ['?created_at=yesterday', 'ISO 8601'],
    ['?created_at=around:2020-01-01T00:00:00Z', 'unknown operator'],
    ['?changes-since=2020', 'no longer available'],
    ['?name=%00', 'NUL'],
    ['?p%00=x', 'NUL'],
  ])('with %s is a 400', async (query, message) => {
    const answer = await alice.get(`/v2/images${query}`)
    expect(answer.status).toBe(400)
    expect(answer.body.message).toContain(message)
  })

  it.each(['', 'sort=name:asc', 'sort_key=size&sort_dir=asc', 'sort=disk_format:desc,size:asc', 'tag=x'])(
    'page by page with %s gives what one page gives, in links that keep the query',
    async (query) => {
      const all = await names(alice, `?${query}`)
      const seen: string[] = []
      let next: string | undefined = `/v2/images?${query}&limit=1`
      while (next) {
        const { body } = await alice.get(next)
        seen.push(...body.images.map((image: { name: string }) => image.name))
        expect(body.first.startsWith('/v2/images?')).toBe(true)
        expect(body.schema).toBe('/v2/schemas/images')
        next = body.next
      }
      expect(seen).toEqual(all)
    },
  )

  it('does not let a marker tell of images that one may not see', async () => {
    const { id } = await alice.create({ visibility: 'private' })
    expect((await bob.get(`/v2/images?marker=${id}`)).status).toBe(400)
  })
})

describe('a method that a path does not have', () => {
  it.each([
    ['PUT', '/v2/images', 'GET, POST'],
    ['POST', '/v2/images/6b29fc40-ca47-4067-b31d-00dd010662da', 'GET, PATCH, DELETE'],
    ['DELETE', '/v2/images/6b29fc40-ca47-4067-b31d-00dd010662da/file', 'GET, PUT'],
    ['GET', '/v2/images/6b29fc40-ca47-4067-b31d-00dd010662da/tags/x', 'PUT, DELETE'],
    ['PATCH', '/v2/schemas/image', 'GET'],
  ])('%s %s is a 405 that says %s', async (method, path, allowed) => {
    const answer = await alice.request(method, path, { body: method === 'GET' ? undefined : '{' })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allowed])
    expect((await service.anonymous().request(method, path)).status).toBe(401)
  })
})

it('takes a path with a slash at its end for another one', async () => {
  for (const path of ['/v2/images/', '/v2/images/?limit=1', '/v2/schemas/image/'])
    expect((await alice.get(path)).status).toBe(404)
  expect((await alice.delete('/v2/images/')).status).toBe(404)
  expect((await alice.get('/v2/images?name=/')).status).toBe(200)
})

describe('schemas and sites', () => {
  it('say what there is', async () => {
    expect((await alice.get('/v2/schemas/image')).body.properties.disk_format.enum).toEqual([null, 'raw', 'qcow2'])
    expect((await alice.get('/v2/schemas/images')).body.properties.images.items.name).toBe('image')
    expect((await alice.get('/v2/schemas/member')).body.name).toBe('member')
    expect((await alice.get('/v2/schemas/members')).body.name).toBe('members')
    expect((await alice.get('/v2/info/import')).body['import-methods'].value).toEqual([])
    expect((await alice.get('/v2/info/stores')).status).toBe(404)
  })
})
