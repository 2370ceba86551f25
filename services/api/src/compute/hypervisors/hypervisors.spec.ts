import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { computeRequests } from '../../testing/compute-requests.js'
import { addHost, addServer, silence } from '../../testing/hosts.js'
import { TestApi } from '../../testing/test-api.js'

let api: TestApi
let admin: ReturnType<typeof computeRequests>
let demo: ReturnType<typeof computeRequests>
let first: string
let second: string
let serverId: string

beforeAll(async () => {
  api = await TestApi.start()
  admin = computeRequests(api, await api.admin())
  demo = computeRequests(api, await api.demo())
  first = await addHost(api.database, { name: 'host-1', virtType: 'kvm', virtTypeReason: 'A guest ran under KVM.' })
  second = await addHost(api.database, { name: 'host_2', virtType: 'qemu', virtTypeReason: '/dev/kvm is not there.' })
  serverId = await addServer(api.database, second, { memoryMiB: 64, taskState: 'powering-off' })
  await silence(api.database, first, 60)
})
afterAll(() => api?.stop())

type Listed = { body: { hypervisors: { id: unknown }[] } }
const idsOf = ({ body }: Listed) => body.hypervisors.map(({ id }) => id)
const unknownId = '00000000-0000-4000-8000-000000000000'

const room = {
  vcpus: 4,
  vcpus_used: 1,
  memory_mb: 8192,
  memory_mb_used: 512 + 64,
  free_ram_mb: 8192 - 512 - 64,
  local_gb: 100,
  local_gb_used: 10 + 1,
  free_disk_gb: 89,
  disk_available_least: null,
  running_vms: 1,
  current_workload: 1,
}

describe('a hypervisor', () => {
  it('shows how guests run on it, whether it is up, and for how long', async () => {
    const { status, body } = await admin('GET', `/os-hypervisors/${second}`)
    expect(status).toBe(200)
    expect(body.hypervisor).toEqual({
      id: second,
      hypervisor_hostname: 'host_2',
      hypervisor_type: 'QEMU',
      hypervisor_version: 9_000_000,
      host_ip: '192.0.2.1',
      state: 'up',
      status: 'enabled',
      service: { id: second, host: 'host_2', disabled_reason: null },
      uptime: expect.stringMatching(/^ \d\d:\d\d:\d\d up 1 day, 1:0\d$/),
    })
    expect((await admin('GET', `/os-hypervisors/${first}`)).body.hypervisor).toMatchObject({
      hypervisor_type: 'KVM',
      state: 'down',
      uptime: null,
    })
  })

  it('shows its room before 2.88, with how and why guests run in cpu_info', async () => {
    const { hypervisor } = (await admin('GET', `/os-hypervisors/${second}`, { version: '2.87' })).body
    expect(hypervisor).toMatchObject(room)
    expect(hypervisor).not.toHaveProperty('uptime')
    expect(hypervisor.cpu_info).toEqual({
      arch: 'x86_64',
      virt_type: 'qemu',
      virt_type_reason: '/dev/kvm is not there.',
    })
  })

  it('was known by a number before 2.53, as its service was', async () => {
    const { hypervisors } = (await admin('GET', '/os-hypervisors/detail', { version: '2.52' })).body
    const old = hypervisors[1]
    expect(old).toMatchObject({ id: expect.any(Number), service: { id: expect.any(Number), host: 'host_2' } })
    expect((await admin('GET', `/os-hypervisors/${old.id}`, { version: '2.52' })).body.hypervisor).toEqual(old)
    const services = (await admin('GET', '/os-services', { version: '2.52' })).body.services
    expect(services.find(({ host }: { host: string }) => host === 'host_2').id).toBe(old.service.id)
    const text = (await admin('GET', `/os-hypervisors/${old.id}`, { version: '2.27' })).body.hypervisor.cpu_info
    expect(JSON.parse(text)).toEqual(old.cpu_info)
  })

  it.each([
    [unknownId, '2.96', 404, `Hypervisor with ID '${unknownId}' could not be found.`],
    ['1', '2.53', 400, 'Invalid uuid 1'],
    ['x', '2.96', 400, 'Invalid uuid x'],
    ['999', '2.52', 404, "Hypervisor with ID '999' could not be found."],
    ['99999999999999999999', '2.52', 404, "Hypervisor with ID '99999999999999999999' could not be found."],
    [unknownId, '2.52', 404, `Hypervisor with ID '${unknownId}' could not be found.`],
  ])('is not found as %s in %s', async (id, version, status, message) => {
    expect(await admin('GET', `/os-hypervisors/${id}`, { version })).toMatchObject({ status, message })
    expect((await admin('GET', `/os-hypervisors/${id}/uptime`, { version: version === '2.96' ? '2.87' : version })).status).toBe(
      status,
    )
  })

  it('tells its uptime on a route of its own before 2.88, where it is up', async () => {
    const told = await admin('GET', `/os-hypervisors/${second}/uptime`, { version: '2.87' })
    expect(told.body.hypervisor).toEqual({
      id: second,
      hypervisor_hostname: 'host_2',
      state: 'up',
      status: 'enabled',
      uptime: expect.stringMatching(/ up 1 day, 1:0\d$/),
    })
    expect(await admin('GET', `/os-hypervisors/${first}/uptime`, { version: '2.87' })).toMatchObject({
      status: 400,
      message: 'Compute service of host-1 is unavailable at this time.',
    })
    expect((await admin('GET', `/os-hypervisors/${second}/uptime`, { version: '2.88' })).status).toBe(404)
  })

  it('shows its servers where they are asked for since 2.53', async () => {
    const servers = [{ uuid: serverId, name: 'guest' }]
    const show = async (id: string, version: string) =>
      (await admin('GET', `/os-hypervisors/${id}?with_servers=true`, { version })).body.hypervisor
    expect((await show(second, '2.53')).servers).toEqual(servers)
    expect((await show(first, '2.75')).servers).toEqual([])
    expect(await show(first, '2.74')).not.toHaveProperty('servers')
    expect(await admin('GET', `/os-hypervisors/${first}?with_servers=perhaps`)).toMatchObject({ status: 400 })
    expect((await admin('GET', `/os-hypervisors/${first}?colour=red`)).status).toBe(400)
  })

  it('says why it runs guests as it does on a route of ours', async () => {
    const response = await api.send('GET', `/nubo/v1/hypervisors/${second}`, { token: await api.admin() })
    expect(response.json().hypervisor).toMatchObject({ virt_type: 'qemu', virt_type_reason: '/dev/kvm is not there.' })
    expect((await api.send('GET', `/nubo/v1/hypervisors/${second}`, { token: await api.demo() })).statusCode).toBe(403)
    expect((await api.send('GET', '/nubo/v1/hypervisors/x', { token: await api.admin() })).statusCode).toBe(400)
  })
})

describe('a list of hypervisors', () => {
  it('is in the order in which they were first seen', async () => {
    const { body } = await admin('GET', '/os-hypervisors')
    expect(body).toEqual({
      hypervisors: [
        { id: first, hypervisor_hostname: 'host-1', state: 'down', status: 'enabled' },
        { id: second, hypervisor_hostname: 'host_2', state: 'up', status: 'enabled' },
      ],
    })
    expect(idsOf(await admin('GET', '/os-hypervisors/detail'))).toEqual([first, second])
  })

  it('comes in pages since 2.33, marked by number until 2.53', async () => {
    const page = await admin('GET', '/os-hypervisors?limit=1')
    expect(idsOf(page)).toEqual([first])
    expect(page.body.hypervisors_links).toEqual([
      { rel: 'next', href: `http://cloud.example:8774/v2.1/os-hypervisors?limit=1&marker=${first}` },
    ])
    expect(idsOf(await admin('GET', `/os-hypervisors?marker=${first}`))).toEqual([second])
    const old = await admin('GET', '/os-hypervisors/detail?limit=1', { version: '2.52' })
    const [number] = idsOf(old)
    expect(old.body.hypervisors_links[0].href).toBe(
      `http://cloud.example:8774/v2.1/os-hypervisors/detail?limit=1&marker=${String(number)}`,
    )
    expect(idsOf(await admin('GET', `/os-hypervisors?marker=${String(number)}`, { version: '2.33' }))).toHaveLength(1)
    const before = await admin('GET', '/os-hypervisors?limit=1', { version: '2.32' })
    expect(before.body.hypervisors).toHaveLength(2)
    expect(before.body).not.toHaveProperty('hypervisors_links')
  })

  it.each([
    [`marker=${unknownId}`, `marker [${unknownId}] not found`],
    ['marker=1', 'marker [1] not found'],
    ['limit=-1', expect.stringContaining('does not match')],
    ['limit=1&limit=2', expect.stringContaining('is too long')],
    ['hypervisor_hostname_pattern=host&limit=1', expect.stringContaining('is not supported.')],
    ['hypervisor_hostname_pattern=ho%25st', expect.stringContaining('does not match')],
    ['colour=red', "Additional properties are not allowed ('colour' was unexpected)"],
  ])('is refused with ?%s', async (query, message) => {
    expect(await admin('GET', `/os-hypervisors?${query}`)).toMatchObject({ status: 400, message })
  })

  it('finds them by a part of the name, with nothing in it that stands for others', async () => {
    expect(idsOf(await admin('GET', '/os-hypervisors?hypervisor_hostname_pattern=HOST'))).toEqual([first, second])
    expect(idsOf(await admin('GET', '/os-hypervisors/detail?hypervisor_hostname_pattern=t_'))).toEqual([second])
    expect(await admin('GET', '/os-hypervisors?hypervisor_hostname_pattern=none')).toMatchObject({
      status: 404,
      message: "No hypervisor matching 'none' could be found.",
    })
  })

  it('found them on a route of its own before 2.53, with or without their servers', async () => {
    const version = '2.52'
    const found = await admin('GET', '/os-hypervisors/host_/search', { version })
    expect(found.body.hypervisors).toEqual([
      { id: expect.any(Number), hypervisor_hostname: 'host_2', state: 'up', status: 'enabled' },
    ])
    const hosted = await admin('GET', '/os-hypervisors/host/servers', { version })
    expect(hosted.body.hypervisors[0]).not.toHaveProperty('servers')
    expect(hosted.body.hypervisors[1].servers).toEqual([{ uuid: serverId, name: 'guest' }])
    expect((await admin('GET', '/os-hypervisors/none/search', { version })).status).toBe(404)
    for (const path of ['/os-hypervisors/host/search', '/os-hypervisors/host/servers'])
      expect((await admin('GET', path, { version: '2.53' })).status).toBe(404)
  })

  it('was added up before 2.88, the disabled ones left out', async () => {
    const statistics = async () =>
      (await admin('GET', '/os-hypervisors/statistics', { version: '2.87' })).body.hypervisor_statistics
    const both = { vcpus: 8, memory_mb: 16_384, memory_mb_used: 1088, running_vms: 1, current_workload: 1 }
    expect(await statistics()).toMatchObject({ count: 2, ...both })
    await admin('PUT', `/os-services/${first}`, { body: { status: 'disabled' } })
    expect(await statistics()).toEqual({ count: 1, ...room })
    await admin('PUT', `/os-services/${first}`, { body: { status: 'enabled' } })
    expect((await admin('GET', '/os-hypervisors/statistics', { version: '2.88' })).status).toBe(404)
  })

  it('is for administrators', async () => {
    for (const path of ['', '/detail', '/statistics', `/${first}`, `/${first}/uptime`, '/host/search', '/host/servers'])
      expect((await demo('GET', `/os-hypervisors${path}`, { version: '2.52' })).status).toBe(403)
  })
})

it('knows of no aggregates', async () => {
  expect((await admin('GET', '/os-aggregates')).body).toEqual({ aggregates: [] })
  expect((await demo('GET', '/os-aggregates')).status).toBe(403)
})
