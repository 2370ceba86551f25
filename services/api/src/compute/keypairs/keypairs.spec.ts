import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { computeRequests } from '../../testing/compute-requests.js'
import { TestApi } from '../../testing/test-api.js'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOBPikGUufgRWoQhxAjsfbVbNg+aCeUfF/vX6HdQYd+A person@host'
const fingerprint = 'd7:e3:b7:bd:84:19:03:0c:7c:5a:60:1c:0e:0a:5c:37'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let demoUserId: string
let demoProjectId: string

beforeAll(async () => {
  api = await TestApi.start()
  const demoToken = await api.demo()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, demoToken)
  const shown = await api.send('GET', '/v3/auth/tokens', { token: demoToken, headers: { 'x-subject-token': demoToken } })
  demoUserId = shown.json().token.user.id
  demoProjectId = shown.json().token.project.id
})
afterAll(() => api?.stop())

const create = (keypair: unknown, version = '2.96', by = demo) => by('POST', '/os-keypairs', { version, body: { keypair } })
const importKey = (name: string, version = '2.96') => create({ name, public_key: publicKey }, version)
const remove = (name: string) => demo('DELETE', `/os-keypairs/${encodeURIComponent(name)}`)
type Listed = { body: { keypairs: { keypair: { name: string } }[] } }
const namesOf = ({ body }: Listed) => body.keypairs.map(({ keypair }) => keypair.name)

describe('a keypair', () => {
  it('is imported, listed, shown and deleted', async () => {
    const name = 'me.and.myself@this.nice.domain.com mooh.'
    const made = await importKey(name)
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      keypair: { name, type: 'ssh', fingerprint, public_key: publicKey, user_id: demoUserId },
    })
    expect((await demo('GET', '/os-keypairs')).body).toEqual({
      keypairs: [{ keypair: { name, type: 'ssh', fingerprint, public_key: publicKey } }],
    })
    const shown = await demo('GET', `/os-keypairs/${encodeURIComponent(name)}`)
    expect(shown.body.keypair).toEqual({
      ...made.body.keypair,
      id: expect.any(Number),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      updated_at: null,
      deleted: false,
      deleted_at: null,
    })
    expect(await remove(name)).toMatchObject({ status: 204, body: undefined })
    expect(await remove(name)).toMatchObject({
      status: 404,
      message: `Keypair ${name} not found for user ${demoUserId}`,
    })
    expect((await demo('GET', `/os-keypairs/${encodeURIComponent(name)}`)).status).toBe(404)
  })

  it('was made by the server before 2.92, with a private key that is shown once', async () => {
    const made = await create({ name: 'made' }, '2.91')
    expect(made.status).toBe(201)
    expect(Object.keys(made.body.keypair).toSorted()).toEqual(
      ['fingerprint', 'name', 'private_key', 'public_key', 'type', 'user_id'].toSorted(),
    )
    expect(made.body.keypair.private_key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/)
    expect((await demo('GET', '/os-keypairs/made')).body.keypair).not.toHaveProperty('private_key')
    expect(api.logLines.join('')).not.toContain('PRIVATE KEY')
    await remove('made')
    expect(await create({ name: 'made' }, '2.92')).toMatchObject({
      status: 400,
      message: "Invalid input for field/attribute keypair. Value: {'name': 'made'}. 'public_key' is a required property",
    })
  })

  it('may be a certificate, made or imported', async () => {
    const made = await create({ name: 'windows', type: 'x509' }, '2.2')
    expect(made).toMatchObject({ status: 201, body: { keypair: { type: 'x509' } } })
    const { public_key: certificate, fingerprint: print, private_key: box } = made.body.keypair
    expect(certificate).toMatch(/^-----BEGIN CERTIFICATE-----/)
    expect(Buffer.from(box, 'base64').subarray(0, 2).toString('hex')).toBe('3082')
    const imported = await create({ name: 'windows again', type: 'x509', public_key: certificate })
    expect(imported).toMatchObject({ status: 201, body: { keypair: { type: 'x509', fingerprint: print } } })
    expect((await create({ name: 'not one', type: 'x509', public_key: publicKey })).status).toBe(400)
    for (const name of ['windows', 'windows again']) await remove(name)
  })

  it('looks to each version as that one knows it', async () => {
    expect(Object.keys((await importKey('old', '2.1')).body.keypair)).not.toContain('type')
    expect((await demo('GET', '/os-keypairs', { version: '2.1' })).body.keypairs[0].keypair).not.toHaveProperty('type')
    expect((await demo('GET', '/os-keypairs/old', { version: '2.1' })).body.keypair).not.toHaveProperty('type')
    expect((await demo('GET', '/os-keypairs/old', { version: '2.2' })).body.keypair.type).toBe('ssh')
    expect((await demo('DELETE', '/os-keypairs/old', { version: '2.1' })).status).toBe(202)
    expect((await importKey('old', '2.1')).status).toBe(200)
    expect((await demo('DELETE', '/os-keypairs/old', { version: '2.2' })).status).toBe(204)
    expect((await create({ name: 'x', type: 'ssh', public_key: publicKey }, '2.1')).status).toBe(400)
    expect((await create({ name: 'x', user_id: demoUserId, public_key: publicKey }, '2.9')).status).toBe(400)
  })

  it.each([
    [{ name: 'x', public_key: 'ssh-rsa JUNK nova@ubuntu' }, 'Keypair data is invalid: failed to generate fingerprint'],
    [{ name: 'x', public_key: ' ' }, 'Keypair data is invalid: failed to generate fingerprint'],
    [{ name: 'x', public_key: 5 }, "Invalid input for field/attribute public_key. Value: 5. 5 is not of type 'string'"],
    [{ name: 'x', public_key: 'x'.repeat(65_536) }, expect.stringContaining('is too long')],
    [{ name: '', public_key: publicKey }, expect.stringContaining('is too short')],
    [{ name: 'x'.repeat(256), public_key: publicKey }, expect.stringContaining('is too long')],
    [{ name: 'key_/.\\@:', public_key: publicKey }, expect.stringContaining('does not match')],
    [{ name: ' x', public_key: publicKey }, expect.stringContaining("An invalid 'name' value was provided.")],
    [{ name: 'x\ny', public_key: publicKey }, expect.stringContaining("An invalid 'name' value was provided.")],
    [{ public_key: publicKey }, expect.stringContaining("'name' is a required property")],
    [{ name: 'x', public_key: publicKey, type: 'pgp' }, expect.stringContaining("'pgp' is not one of ['ssh', 'x509']")],
    [{ name: 'x', public_key: publicKey, size: 1 }, expect.stringContaining("('size' was unexpected)")],
    [null, expect.stringContaining("is not of type 'object'")],
  ])('is refused as %j', async (keypair, message) => {
    expect(await create(keypair)).toMatchObject({ status: 400, message })
  })

  it('had a name without @ and dots before 2.92', async () => {
    for (const name of ['a@b', 'a.b']) {
      const { status, message } = await importKey(name, '2.91')
      expect(status).toBe(400)
      expect(message).toBe(
        `Invalid input for field/attribute name. Value: ${name}. '${name}' does not match '^[_\\\\- a-zA-Z0-9]+$'`,
      )
    }
    expect((await create({ name: 5, public_key: publicKey }, '2.1')).status).toBe(400)
  })

  it('has a name that no other of the user has', async () => {
    await importKey('taken')
    expect(await importKey('taken')).toMatchObject({ status: 409, message: "Key pair 'taken' already exists." })
    expect((await create({ name: 'taken', public_key: publicKey }, '2.96', admin)).status).toBe(201)
    await admin('DELETE', '/os-keypairs/taken')
    await remove('taken')
  })
})

describe('keypairs of others', () => {
  it('are made, seen and deleted by administrators alone', async () => {
    const path = `/os-keypairs/given?user_id=${demoUserId}`
    const given = await create({ name: 'given', public_key: publicKey, user_id: demoUserId }, '2.10', admin)
    expect(given).toMatchObject({ status: 201, body: { keypair: { user_id: demoUserId } } })
    expect(namesOf(await admin('GET', `/os-keypairs?user_id=${demoUserId}`))).toEqual(['given'])
    expect(namesOf(await admin('GET', '/os-keypairs'))).toEqual([])
    expect(namesOf(await admin('GET', `/os-keypairs?user_id=${demoUserId}`, { version: '2.9' }))).toEqual([])
    expect((await admin('GET', path)).status).toBe(200)
    expect((await admin('GET', path, { version: '2.9' })).status).toBe(404)
    expect((await demo('GET', path)).status).toBe(200)
    expect((await admin('DELETE', path)).status).toBe(204)
    for (const [method, other] of [
      ['GET', '/os-keypairs?user_id=other'],
      ['GET', '/os-keypairs/x?user_id=other'],
      ['DELETE', '/os-keypairs/x?user_id=other'],
    ] as const)
      expect((await demo(method, other)).status).toBe(403)
    expect(await create({ name: 'x', public_key: publicKey, user_id: 'other' })).toMatchObject({
      status: 403,
      message: "Policy doesn't allow os_compute_api:os-keypairs:create to be performed.",
    })
    expect((await create({ name: 'x', public_key: publicKey, user_id: 'nobody' }, '2.96', admin)).status).toBe(400)
  })
})

describe('a list of keypairs', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  beforeAll(async () => {
    for (const name of names.toReversed()) await importKey(name)
  })
  afterAll(async () => {
    for (const name of names) await remove(name)
  })

  it('comes in pages by name since 2.35', async () => {
    const first = await demo('GET', '/os-keypairs?limit=2')
    expect(namesOf(first)).toEqual(['a', 'b'])
    expect(first.body.keypairs_links).toEqual([
      { rel: 'next', href: 'http://cloud.example:8774/v2.1/os-keypairs?limit=2&marker=b' },
    ])
    expect(namesOf(await demo('GET', '/os-keypairs?limit=2&marker=b'))).toEqual(['c', 'd'])
    const last = await demo('GET', '/os-keypairs?limit=2&marker=d')
    expect(namesOf(last)).toEqual(['e'])
    expect(last.body).not.toHaveProperty('keypairs_links')
    const before = await demo('GET', '/os-keypairs?limit=2&marker=zzz', { version: '2.34' })
    expect(namesOf(before)).toEqual(names)
    expect(Object.keys(before.body)).toEqual(['keypairs'])
  })

  it.each([
    ['limit=-1', "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"],
    ['limit=', "Invalid input for query parameters limit. Value: . '' is too short"],
    ['marker=none', 'Marker none could not be found.'],
    ['colour=red', "Additional properties are not allowed ('colour' was unexpected)"],
  ])('is refused with ?%s', async (query, message) => {
    expect(await demo('GET', `/os-keypairs?${query}`)).toMatchObject({ status: 400, message })
  })

  it('took unknown parameters before 2.75', async () => {
    expect((await demo('GET', '/os-keypairs?colour=red', { version: '2.74' })).status).toBe(200)
    expect((await demo('GET', '/os-keypairs/a?colour=red', { version: '2.74' })).status).toBe(200)
    expect((await demo('GET', '/os-keypairs/a?colour=red')).status).toBe(400)
  })
})

describe('the limit of keypairs', () => {
  const limitTo = (limit: number) =>
    admin('PUT', `/os-quota-sets/${demoProjectId}`, { body: { quota_set: { key_pairs: limit } } })
  afterAll(() => admin('DELETE', `/os-quota-sets/${demoProjectId}`))

  it('holds however many are made at once', async () => {
    await limitTo(5)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => importKey(`race-${index}`)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    for (const { status, message } of answers)
      if (status !== 201) expect([status, message]).toEqual([403, 'Quota exceeded, too many key pairs.'])
    expect((await demo('GET', '/os-keypairs')).body.keypairs).toHaveLength(5)
    expect(await create({ name: 'one more' }, '2.1')).toMatchObject({ status: 403 })
    for (const name of namesOf(await demo('GET', '/os-keypairs'))) await remove(name)
  })

  it('may be none at all, and none', async () => {
    await limitTo(0)
    expect((await importKey('x')).status).toBe(403)
    await limitTo(-1)
    expect((await importKey('x')).status).toBe(201)
    await remove('x')
  })
})
