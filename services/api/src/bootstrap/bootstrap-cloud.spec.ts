import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { PasswordHasher, RevocationList } from '@nubo/auth'
import { systemRandom } from '@nubo/kernel'
import { adminPassword, demoPassword, TestApi } from '../testing/test-api.js'
import { bootstrapCloud } from './bootstrap-cloud.js'

let api: TestApi
const hasher = new PasswordHasher(systemRandom)
const passwords = { adminPassword, demoPassword }
const bootstrap = (changes = {}) => bootstrapCloud(api.database, hasher, systemRandom, { ...passwords, ...changes })

beforeAll(async () => {
  api = await TestApi.start()
})
afterAll(() => api.stop())

it('does nothing where all is there', async () => {
  expect(await bootstrap()).toEqual([])
  expect(await Promise.all([bootstrap(), bootstrap()])).toEqual([[], []])
})

it('mends what is missing, and leaves deleted flavors deleted', async () => {
  await api.database.execute(`DELETE FROM roles WHERE name = 'manager'`)
  await api.database.execute(`DELETE FROM role_assignments WHERE target_kind = 'system'`)
  await api.database.execute(`DELETE FROM flavors WHERE id = '1'`)
  expect(await bootstrap()).toEqual(['created role manager', 'gave role admin on the system'])
})

it('sets a password that was changed, which ends the tokens of the old one', async () => {
  const token = await api.demo()
  expect(await bootstrap({ demoPassword: 'another-secret' })).toEqual(['set the password of user demo'])
  await expect(api.demo()).rejects.toThrow('401')
  expect(await api.login('demo', 'another-secret')).toMatch(/^ey/)
  // Another process learns of it within two seconds; here it is told to look.
  api.app.get(RevocationList).forget()
  expect((await api.send('GET', '/v3/auth/projects', { token })).statusCode).toBe(401)
})
