import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { insertServer } from '@nubo/database/testing'
import { computeRequests } from '../../testing/compute-requests.js'
import { onSystem, TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let adminProjectId: string
let demoProjectId: string
let demoUserId: string

beforeAll(async () => {
  api = await TestApi.start()
  const idsOf = async (token: string) => {
    const shown = await api.send('GET', '/v3/auth/tokens', { token, headers: { 'x-subject-token': token } })
    return shown.json().token as { user: { id: string }; project: { id: string } }
  }
  const [adminToken, demoToken] = [await api.admin(), await api.demo()]
  admin = computeRequests(api, adminToken)
  demo = computeRequests(api, demoToken)
  adminProjectId = (await idsOf(adminToken)).project.id
  const shown = await idsOf(demoToken)
  demoProjectId = shown.project.id
  demoUserId = shown.user.id
})
afterEach(async () => void (await admin('DELETE', `/os-quota-sets/${demoProjectId}`)))
afterAll(() => api?.stop())

const set = (quotaSet: unknown, version = '2.96') =>
  admin('PUT', `/os-quota-sets/${demoProjectId}`, { version, body: { quota_set: quotaSet } })
const show = (version = '2.96') => demo('GET', `/os-quota-sets/${demoProjectId}`, { version })

const current = {
  cores: 20,
  instances: 10,
  key_pairs: 100,
  metadata_items: 128,
  ram: 51_200,
  server_group_members: 10,
  server_groups: 10,
}
const files = { injected_files: 5, injected_file_content_bytes: 10_240, injected_file_path_bytes: 255 }
const networks = { fixed_ips: -1, floating_ips: -1, security_groups: -1, security_group_rules: -1 }

describe('a quota set', () => {
  it('is shown to each version as that one knows it', async () => {
    const id = demoProjectId
    expect(await show('2.57')).toMatchObject({ status: 200, body: { quota_set: { id, ...current } } })
    expect((await show('2.96')).body).toEqual({ quota_set: { id, ...current } })
    expect((await show('2.56')).body).toEqual({ quota_set: { id, ...current, ...files } })
    expect((await show('2.36')).body).toEqual({ quota_set: { id, ...current, ...files } })
    expect((await show('2.35')).body).toEqual({ quota_set: { id, ...current, ...files, ...networks } })
    expect((await demo('GET', `/os-quota-sets/${id}/defaults`, { version: '2.1' })).body).toEqual({
      quota_set: { id, ...current, ...files, ...networks },
    })
    const detail = await demo('GET', `/os-quota-sets/${id}/detail`, { version: '2.35' })
    expect(detail.body.quota_set).toMatchObject({
      id,
      cores: { in_use: 0, limit: 20, reserved: 0 },
      injected_files: { in_use: 0, limit: 5, reserved: 0 },
      fixed_ips: { in_use: 0, limit: -1, reserved: 0 },
    })
  })

  it('is changed in part, and left to the defaults again', async () => {
    const changed = await set({ instances: 5, ram: '2048', key_pairs: -1 })
    expect(changed).toMatchObject({ status: 200 })
    expect(changed.body).toEqual({ quota_set: { ...current, instances: 5, ram: 2048, key_pairs: -1 } })
    expect((await set({ cores: 7 })).body.quota_set).toMatchObject({ cores: 7, instances: 5 })
    expect((await show()).body.quota_set).toMatchObject({ cores: 7, instances: 5, ram: 2048 })
    expect((await demo('GET', `/os-quota-sets/${demoProjectId}/defaults`)).body.quota_set).toMatchObject(current)
    expect(await admin('DELETE', `/os-quota-sets/${demoProjectId}`)).toMatchObject({ status: 202, body: undefined })
    expect((await show()).body.quota_set).toMatchObject(current)
  })

  it('takes limits of files before 2.57 alone, and of networks before 2.36', async () => {
    expect((await set({ injected_files: 1 }, '2.56')).body.quota_set).toMatchObject({ injected_files: 1 })
    expect(await set({ injected_files: 1 }, '2.57')).toMatchObject({
      status: 400,
      message: expect.stringContaining("Additional properties are not allowed ('injected_files' was unexpected)"),
    })
    expect((await set({ floating_ips: 5, cores: 9 }, '2.35')).body.quota_set).toMatchObject({ floating_ips: -1, cores: 9 })
    expect((await set({ floating_ips: 'many' }, '2.35')).status).toBe(400)
    expect((await set({ floating_ips: 5 }, '2.36')).status).toBe(400)
  })

  it.each([
    [{ instances: -2 }, 'Invalid input for field/attribute instances. Value: -2. -2 is less than the minimum of -1'],
    [{ instances: '-2' }, "Invalid input for field/attribute instances. Value: -2. '-2' is less than the minimum of -1"],
    [{ instances: 'x' }, "Invalid input for field/attribute instances. Value: x. 'x' does not match '^-?[0-9]+$'"],
    [{ instances: null }, "Invalid input for field/attribute instances. Value: None. None is not of type 'integer', 'string'"],
    [{ ram: 2_147_483_648 }, expect.stringContaining('is greater than the maximum of 2147483647')],
    [{ volumes: 5 }, expect.stringContaining("('volumes' was unexpected)")],
    [{ force: 'maybe' }, expect.stringContaining("'maybe' is not one of")],
    [[], expect.stringContaining("is not of type 'object'")],
  ])('is refused as %j', async (quotaSet, message) => {
    expect(await set(quotaSet)).toMatchObject({ status: 400, message })
  })

  it('shows what is used, and is not set below it unless forced', async () => {
    const use = [demoProjectId, 3, 6, 192]
    await api.database.execute(
      `INSERT INTO project_quotas (project_id, used_instances, used_cores, used_ram_mib) VALUES ($1, $2, $3, $4)
       ON CONFLICT (project_id) DO UPDATE SET used_instances = $2, used_cores = $3, used_ram_mib = $4`,
      use,
    )
    const detail = (await demo('GET', `/os-quota-sets/${demoProjectId}/detail`)).body.quota_set
    expect(detail.instances).toEqual({ in_use: 3, limit: 10, reserved: 0 })
    expect(detail.ram).toEqual({ in_use: 192, limit: 51_200, reserved: 0 })
    expect((await demo('GET', '/limits')).body.limits.absolute).toMatchObject({
      totalInstancesUsed: 3,
      totalCoresUsed: 6,
      totalRAMUsed: 192,
    })
    expect(await set({ cores: 30, instances: 2 })).toMatchObject({
      status: 400,
      message: 'Quota limit 2 for instances must be greater than or equal to already used and reserved 3.',
    })
    expect((await show()).body.quota_set).toMatchObject({ cores: 20, instances: 10 })
    expect((await set({ instances: -1 })).status).toBe(200)
    expect((await set({ instances: 2, force: 'True' })).body.quota_set.instances).toBe(2)
    await api.database.execute(
      'UPDATE project_quotas SET used_instances = 0, used_cores = 0, used_ram_mib = 0 WHERE project_id = $1',
      [demoProjectId],
    )
  })

  it('counts the servers of one user where one is named', async () => {
    for (const userId of [demoUserId, 'another']) await insertServer(api.database, demoProjectId, { userId, vcpus: 2 })
    const path = `/os-quota-sets/${demoProjectId}/detail?user_id=${demoUserId}`
    expect((await demo('GET', path)).body.quota_set).toMatchObject({
      instances: { in_use: 1, limit: 10, reserved: 0 },
      cores: { in_use: 2 },
      ram: { in_use: 64 },
    })
    await api.database.execute('DELETE FROM servers')
  })

  it('is of projects, not of single users', async () => {
    const path = `/os-quota-sets/${demoProjectId}?user_id=${demoUserId}`
    expect((await demo('GET', path)).body.quota_set).toMatchObject(current)
    for (const method of ['PUT', 'DELETE'] as const) {
      const body = method === 'PUT' ? { quota_set: { cores: 1 } } : undefined
      expect((await admin(method, path, { body })).status).toBe(400)
    }
    expect((await show()).body.quota_set).toMatchObject(current)
  })

  it('is that of a project which exists', async () => {
    const message = 'Project ID nobody is not a valid project.'
    for (const path of ['/os-quota-sets/nobody', '/os-quota-sets/nobody/detail', '/os-quota-sets/nobody/defaults'])
      expect(await admin('GET', path)).toMatchObject({ status: 400, message })
    expect(await admin('PUT', '/os-quota-sets/nobody', { body: { quota_set: {} } })).toMatchObject({ status: 400, message })
    expect((await admin('DELETE', '/os-quota-sets/nobody')).status).toBe(202)
  })

  it('is shown to its project and to administrators, and changed by those alone', async () => {
    expect((await demo('GET', `/os-quota-sets/${adminProjectId}`)).status).toBe(403)
    expect((await demo('GET', `/os-quota-sets/${adminProjectId}/detail`)).status).toBe(403)
    expect((await demo('GET', `/os-quota-sets/${adminProjectId}/defaults`)).status).toBe(200)
    expect((await admin('GET', `/os-quota-sets/${demoProjectId}`)).status).toBe(200)
    expect(await demo('PUT', `/os-quota-sets/${demoProjectId}`, { body: { quota_set: { cores: 99 } } })).toMatchObject({
      status: 403,
      message: "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed.",
    })
    expect((await demo('DELETE', `/os-quota-sets/${demoProjectId}`)).status).toBe(403)
  })

  it('refuses unknown parameters since 2.75', async () => {
    const path = `/os-quota-sets/${demoProjectId}?colour=red`
    expect((await demo('GET', path, { version: '2.74' })).status).toBe(200)
    expect((await demo('GET', path, { version: '2.75' })).status).toBe(400)
  })
})

describe('limits', () => {
  const absolute = {
    maxServerMeta: 128,
    maxTotalCores: 20,
    maxTotalInstances: 10,
    maxTotalKeypairs: 100,
    maxTotalRAMSize: 51_200,
    maxServerGroups: 10,
    maxServerGroupMembers: 10,
    totalCoresUsed: 0,
    totalInstancesUsed: 0,
    totalRAMUsed: 0,
    totalServerGroupsUsed: 0,
  }
  const limits = async (version: string) => (await demo('GET', '/limits', { version })).body.limits

  it('are shown to each version as that one knows them', async () => {
    const images = { maxImageMeta: 128 }
    const ofFiles = { maxPersonality: 5, maxPersonalitySize: 10_240 }
    const ofNetworks = {
      maxTotalFloatingIps: -1,
      maxSecurityGroups: -1,
      maxSecurityGroupRules: -1,
      totalFloatingIpsUsed: 0,
      totalSecurityGroupsUsed: 0,
    }
    expect(await limits('2.96')).toEqual({ rate: [], absolute })
    expect(await limits('2.57')).toEqual({ rate: [], absolute })
    expect(await limits('2.56')).toEqual({ rate: [], absolute: { ...absolute, ...ofFiles } })
    expect(await limits('2.38')).toEqual({ rate: [], absolute: { ...absolute, ...ofFiles, ...images } })
    expect(await limits('2.35')).toEqual({ rate: [], absolute: { ...absolute, ...ofFiles, ...images, ...ofNetworks } })
  })

  it('are those of another project for administrators who name it', async () => {
    await set({ cores: 3 })
    const path = `/limits?tenant_id=${demoProjectId}`
    expect((await admin('GET', path)).body.limits.absolute.maxTotalCores).toBe(3)
    expect((await admin('GET', '/limits')).body.limits.absolute.maxTotalCores).toBe(20)
    expect(await demo('GET', path)).toMatchObject({
      status: 403,
      message: "Policy doesn't allow os_compute_api:limits:other_project to be performed.",
    })
    expect((await demo('GET', '/limits')).body.limits.absolute.maxTotalCores).toBe(3)
  })

  it('are the defaults where there is no project', async () => {
    const system = computeRequests(api, await api.login('admin', 'admin-secret', onSystem))
    expect((await system('GET', '/limits')).body.limits.absolute).toEqual(absolute)
  })

  it('refuse unknown parameters since 2.75', async () => {
    expect((await demo('GET', '/limits?reserved=1', { version: '2.74' })).status).toBe(200)
    expect((await demo('GET', '/limits?reserved=1', { version: '2.75' })).status).toBe(400)
  })
})
