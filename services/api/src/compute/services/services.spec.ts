import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { recordPresence, releaseRoom } from '@nubo/database'
import { newId, systemRandom } from '@nubo/kernel'
import { computeRequests } from '../../testing/compute-requests.js'
import { addHost, addServer, silence } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let first: string
let second: string

interface Service {
  id: string | number
  binary: string
  host: string
  state: string
  status: string
  [name: string]: unknown
}

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
})
beforeEach(async () => {
  await api.database.execute('DELETE FROM hosts')
  await recordPresence(api.database, { binary: 'nova-scheduler', host: 'control' })
  await recordPresence(api.database, { binary: 'nova-conductor', host: 'control' })
  first = await addHost(api.database, { name: 'host-1' })
  second = await addHost(api.database, { name: 'host-2' })
})
afterAll(() => api?.stop())

const list = async (query = '', version = '2.96'): Promise<Service[]> =>
  (await admin('GET', `/os-services${query}`, { version })).body.services
const service = async (host: string) => (await list(`?host=${host}&binary=nova-compute`))[0]!
const put = (id: string, body: unknown, version = '2.96') => admin('PUT', `/os-services/${id}`, { version, body })

describe('services', () => {
  it('are a nova-compute on each host, and what schedules and conducts', async () => {
    expect((await list()).map(({ binary, host, zone }) => [binary, host, zone]).toSorted()).toEqual([
      ['nova-compute', 'host-1', 'nova'],
      ['nova-compute', 'host-2', 'nova'],
      ['nova-conductor', 'control', 'internal'],
      ['nova-scheduler', 'control', 'internal'],
    ])
    expect(await service('host-1')).toEqual({
      id: first,
      binary: 'nova-compute',
      host: 'host-1',
      zone: 'nova',
      status: 'enabled',
      state: 'up',
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/),
      disabled_reason: null,
      forced_down: false,
    })
  })

  it('are filtered by host and binary', async () => {
    expect(await list('?binary=nova-scheduler')).toHaveLength(1)
    expect(await list('?host=control')).toHaveLength(2)
    expect(await list('?host=control&binary=nova-compute')).toEqual([])
    expect(await list('?host=')).toHaveLength(4)
    expect((await admin('GET', '/os-services?colour=red')).status).toBe(400)
    expect(await list('?colour=red', '2.74')).toHaveLength(4)
  })

  it('had numbers before 2.53, of which no two are the same, and no forced_down before 2.11', async () => {
    const old = await list('', '2.52')
    expect(old.every(({ id }) => Number.isInteger(id))).toBe(true)
    expect(new Set(old.map(({ id }) => id)).size).toBe(4)
    expect(old[0]).toHaveProperty('forced_down')
    expect((await list('', '2.10'))[0]).not.toHaveProperty('forced_down')
  })

  it('are down when nothing was heard of them for half a minute in which they could have been, be it of all of them', async () => {
    await silence(api.database, first, 31)
    expect((await service('host-1')).state).toBe('down')
    expect((await service('host-2')).state).toBe('up')
    await silence(api.database, second, 29)
    expect((await service('host-2')).state).toBe('up')
    await silence(api.database, second, 2)
    expect((await service('host-2')).state).toBe('down')
  })

  it('are for administrators', async () => {
    expect((await demo('GET', '/os-services')).status).toBe(403)
    expect((await demo('PUT', `/os-services/${first}`, { body: { status: 'disabled' } })).status).toBe(403)
    expect((await demo('DELETE', `/os-services/${first}`)).status).toBe(403)
  })
})

describe('a nova-compute', () => {
  it('is disabled with a reason, enabled again, and declared down', async () => {
    const disabled = await put(first, { status: 'disabled', disabled_reason: 'a new disk' })
    expect(disabled).toMatchObject({ status: 200, body: { service: { status: 'disabled', disabled_reason: 'a new disk' } } })
    expect(disabled.body.service).toEqual(await service('host-1'))
    const hypervisor = (await admin('GET', `/os-hypervisors/${first}`)).body.hypervisor
    expect(hypervisor).toMatchObject({ status: 'disabled', service: { disabled_reason: 'a new disk' } })
    expect((await put(first, { forced_down: 'true' })).body.service).toMatchObject({
      forced_down: true,
      state: 'down',
      status: 'disabled',
      disabled_reason: 'a new disk',
    })
    // Up again with its next registration: what it was told before counts no more.
    expect((await put(first, { status: 'enabled', forced_down: false })).body.service).toMatchObject({
      forced_down: false,
      state: 'down',
      status: 'enabled',
      disabled_reason: null,
    })
    expect((await put(first, { status: 'disabled' })).body.service.disabled_reason).toBeNull()
  })

  it.each([
    [{}, "No updates were requested. Fields 'status' or 'forced_down' should be specified."],
    [{ disabled_reason: 'x' }, "No updates were requested. Fields 'status' or 'forced_down' should be specified."],
    [{ status: 'enabled', disabled_reason: 'x' }, "Specifying 'disabled_reason' with status 'enabled' is invalid."],
    [{ status: 'off' }, expect.stringContaining("'off' is not one of ['enabled', 'disabled']")],
    [{ status: 'disabled', disabled_reason: '' }, expect.stringContaining('is too short')],
    [{ status: 'disabled', disabled_reason: 'x'.repeat(256) }, expect.stringContaining('is too long')],
    [{ forced_down: 'maybe' }, expect.stringContaining("'maybe' is not one of")],
    [{ host: 'host-1' }, expect.stringContaining("('host' was unexpected)")],
    ['text', expect.any(String)],
    [[], expect.any(String)],
  ])('is not changed by %j', async (body, message) => {
    expect(await put(first, body)).toMatchObject({ status: 400, message })
    expect(await service('host-1')).toMatchObject({ status: 'enabled', forced_down: false })
  })

  it('was named by its host before 2.53, the action by the path', async () => {
    const host = 'host-1'
    const named = { host, binary: 'nova-compute' }
    const act = (action: string, more = {}, version = '2.52') => put(action, { ...named, ...more }, version)
    expect(await act('disable', {}, '2.1')).toMatchObject({
      status: 200,
      body: { service: { ...named, status: 'disabled' } },
    })
    expect((await service(host)).status).toBe('disabled')
    expect((await act('enable', {}, '2.1')).body).toEqual({ service: { ...named, status: 'enabled' } })
    expect((await act('disable-log-reason', { disabled_reason: 'why' })).body).toEqual({
      service: { ...named, status: 'disabled', disabled_reason: 'why' },
    })
    expect(await service(host)).toMatchObject({ status: 'disabled', disabled_reason: 'why' })
    expect((await act('force-down', { forced_down: true })).body).toEqual({ service: { ...named, forced_down: true } })
    expect((await service(host)).state).toBe('down')
    expect((await act('disable-log-reason')).message).toBe('Missing disabled reason field')
    expect((await act('force-down')).message).toBe('Missing forced_down field')
    expect(await act('explode')).toMatchObject({ status: 404, message: 'Unknown action' })
    expect(await act('force-down', {}, '2.10')).toMatchObject({ status: 404, message: 'Unknown action' })
    expect((await act('enable', { forced_down: true }, '2.10')).status).toBe(400)
    expect((await put('enable', { host }, '2.52')).message).toContain("'binary' is a required property")
    expect(await act('enable', { host: 'nowhere' })).toMatchObject({
      status: 404,
      message: 'Could not find binary nova-compute on host nowhere.',
    })
    expect(await act('enable', { binary: 'nova-scheduler' })).toMatchObject({
      status: 400,
      message: 'Updating a nova-scheduler service is not supported. Only nova-compute services can be updated.',
    })
  })

  it('is the only kind of service that is changed', async () => {
    const [scheduler] = await list('?binary=nova-scheduler')
    expect(await put(String(scheduler!.id), { status: 'disabled' })).toMatchObject({
      status: 400,
      message: 'Updating a nova-scheduler service is not supported. Only nova-compute services can be updated.',
    })
    expect(await put('1', { status: 'disabled' })).toMatchObject({ status: 400, message: 'Invalid uuid 1' })
    const unknown = '00000000-0000-4000-8000-000000000000'
    expect(await put(unknown, { status: 'disabled' })).toMatchObject({
      status: 404,
      message: `Service ${unknown} could not be found.`,
    })
  })
})

describe('deleting a service', () => {
  it('forgets a host that nothing is on', async () => {
    expect(await admin('DELETE', `/os-services/${first}`)).toMatchObject({ status: 204, body: undefined })
    expect(await list('?host=host-1')).toEqual([])
    expect((await admin('GET', `/os-hypervisors/${first}`)).status).toBe(404)
    expect(await admin('DELETE', `/os-services/${first}`)).toMatchObject({
      status: 404,
      message: `Service ${first} not found.`,
    })
  })

  it('is refused while a server is on the host, or room is held there for one that is gone', async () => {
    const refused = {
      status: 409,
      message: 'Unable to delete compute service that is hosting instances. Migrate or delete the instances first.',
    }
    const serverId = await addServer(api.database, first, { memoryMiB: 64 })
    expect(await admin('DELETE', `/os-services/${first}`)).toMatchObject(refused)
    await api.database.execute('UPDATE servers SET host_id = NULL, deleted_at = now() WHERE id = $1', [serverId])
    expect(await admin('DELETE', `/os-services/${first}`)).toMatchObject(refused)
    await api.database.transaction((tx) => releaseRoom(tx, serverId, 1))
    expect((await admin('DELETE', `/os-services/${first}`)).status).toBe(204)
  })

  it('is refused while the host may still carry a router', async () => {
    const router = newId(systemRandom)
    await api.database.execute(`INSERT INTO routers (id, project_id, host_id) VALUES ($1, 'p', $2)`, [router, first])
    expect(await admin('DELETE', `/os-services/${first}`)).toMatchObject({
      status: 409,
      message: expect.stringContaining('may still carry routers or addresses'),
    })
    await api.database.execute('DELETE FROM routers WHERE id = $1', [router])
    expect((await admin('DELETE', `/os-services/${first}`)).status).toBe(204)
  })

  it('was by number before 2.53', async () => {
    const number = (await list('?host=host-2', '2.52'))[0]!.id
    expect((await admin('DELETE', `/os-services/${number}`, { version: '2.53' })).status).toBe(400)
    expect((await admin('DELETE', `/os-services/${number}`, { version: '2.52' })).status).toBe(204)
    expect((await admin('DELETE', '/os-services/99999999999999999999', { version: '2.52' })).status).toBe(404)
    expect((await admin('DELETE', '/os-services/-1', { version: '2.52' })).status).toBe(404)
    expect(await admin('DELETE', '/os-services/x', { version: '2.52' })).toMatchObject({
      status: 400,
      message: 'Invalid input received: id must be an integer',
    })
  })

  it('forgets what schedules, until it says again that it is there', async () => {
    const [scheduler] = await list('?binary=nova-scheduler')
    expect((await admin('DELETE', `/os-services/${scheduler!.id}`)).status).toBe(204)
    expect(await list('?binary=nova-scheduler')).toEqual([])
    await recordPresence(api.database, { binary: 'nova-scheduler', host: 'control' })
    expect(await list('?binary=nova-scheduler')).toHaveLength(1)
  })
})

describe('availability zones', () => {
  const zones = async () => (await demo('GET', '/os-availability-zone')).body.availabilityZoneInfo

  it('are one, of which tenants learn no hosts', async () => {
    expect(await zones()).toEqual([{ zoneName: 'nova', zoneState: { available: true }, hosts: null }])
    expect((await demo('GET', '/os-availability-zone/detail')).status).toBe(403)
  })

  it('are there as long as a host in them is enabled', async () => {
    await put(first, { status: 'disabled' })
    expect((await zones())[0].zoneState).toEqual({ available: true })
    await put(second, { status: 'disabled' })
    expect((await zones())[0].zoneState).toEqual({ available: false })
    const detail = (await admin('GET', '/os-availability-zone/detail')).body.availabilityZoneInfo
    expect(detail.at(-1)).toEqual({ zoneName: 'nova', zoneState: { available: false }, hosts: null })
    await api.database.execute('DELETE FROM hosts')
    expect(await zones()).toEqual([])
  })

  it('show administrators their hosts and the state of what runs there', async () => {
    await put(first, { status: 'disabled' })
    const state = { available: true, active: true, updated_at: expect.stringMatching(/^\d{4}-/) }
    expect((await admin('GET', '/os-availability-zone/detail')).body.availabilityZoneInfo).toEqual([
      {
        zoneName: 'internal',
        zoneState: { available: true },
        hosts: { control: { 'nova-scheduler': state, 'nova-conductor': state } },
      },
      { zoneName: 'nova', zoneState: { available: true }, hosts: { 'host-2': { 'nova-compute': state } } },
    ])
  })
})

describe('extensions', () => {
  it('are those that are here', async () => {
    const { extensions } = (await demo('GET', '/extensions')).body
    expect(extensions).toContainEqual({
      alias: 'os-keypairs',
      name: 'Keypairs',
      description: expect.any(String),
      links: [],
      namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
      updated: '2014-12-03T00:00:00Z',
    })
    expect((await demo('GET', '/extensions/os-keypairs')).body.extension.alias).toBe('os-keypairs')
    expect((await demo('GET', '/extensions/os-volumes')).status).toBe(404)
  })
})
