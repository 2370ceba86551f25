import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { generateTokenKeys, keyFingerprint } from '@nubo/auth'
import { claimRegistration, recordRefusals } from '@nubo/database'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { addHost } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: string
let hostId: HostId
const [one, other] = [generateTokenKeys().publicKeyPem, generateTokenKeys().publicKeyPem]

beforeAll(async () => {
  api = await TestApi.start()
  admin = await api.admin()
  hostId = (await addHost(api.database, { name: 'host-1' })) as HostId
})
afterAll(() => api.stop())

async function send(method: string, path = '', body?: unknown) {
  const response = await api.send(method, `/nubo/v1/host-keys${path}`, { token: admin, body })
  return { status: response.statusCode, body: response.body === '' ? undefined : JSON.parse(response.body) }
}
const enrol = (publicKey: string, id: string = hostId) => send('PUT', `/${id}`, { host_key: { public_key: publicKey } })

it('lists hosts without a key, and who was refused', async () => {
  const stranger = newId<HostId>(systemRandom)
  await recordRefusals(api.database, stranger, 'not-enrolled', 3)
  const { host_keys } = (await send('GET')).body
  expect(host_keys).toContainEqual(expect.objectContaining({ host_id: hostId, host: 'host-1', fingerprint: null, refused: [] }))
  expect(host_keys).toContainEqual(
    expect.objectContaining({
      host_id: stranger,
      host: null,
      refused: [expect.objectContaining({ reason: 'not-enrolled', count: 3 })],
    }),
  )
})

it('enrols a key in place of the one before, which counts for nothing more', async () => {
  expect(await enrol(one)).toMatchObject({
    status: 200,
    body: { host_key: { fingerprint: keyFingerprint(one), public_key: one } },
  })
  expect(await claimRegistration(api.database, hostId, one, 7)).toBe(true)
  await recordRefusals(api.database, hostId, 'replayed', 1)
  // The same again changes nothing: a recorded registration stays worthless.
  await enrol(one)
  expect(await claimRegistration(api.database, hostId, one, 7)).toBe(false)
  expect((await enrol(other)).body.host_key).toMatchObject({ fingerprint: keyFingerprint(other), refused: [] })
  expect(await claimRegistration(api.database, hostId, one, 8)).toBe(false)
  expect(await claimRegistration(api.database, hostId, other, 1)).toBe(true)
})

it('takes one registration of each number, however many come at once', async () => {
  const claims = await Promise.all(Array.from({ length: 10 }, () => claimRegistration(api.database, hostId, other, 100)))
  expect(claims.filter(Boolean)).toHaveLength(1)
})

it.each([
  ['no key', 'nonsense'],
  ['a private key', generateTokenKeys().privateKeyPem],
])('refuses %s, and says what is wanted', async (_, pem) => {
  const { status, body } = await enrol(pem)
  expect([status, body.badRequest.message]).toEqual([400, expect.stringContaining('host-key.pub')])
})

it('refuses an id that is none', async () => {
  expect((await enrol(one, 'host-1')).body.badRequest.message).toContain('UUID')
})

it('takes a key away once', async () => {
  expect((await send('DELETE', `/${hostId}`)).status).toBe(204)
  expect((await send('DELETE', `/${hostId}`)).status).toBe(404)
  expect((await send('DELETE', '/nowhere')).status).toBe(404)
})
