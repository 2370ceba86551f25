import { waitFor } from '@nubo/deploy'
import { changes } from '../../../services/api/src/compute/microversions/changes.js'
import type { Asked, Walk } from './walk.js'

const newestMinor = 96
/** Every version that changed something, and the one before it; those between are served as their neighbours are. */
const minors = [...new Set([...changes.flatMap(({ minor }) => [minor - 1, minor]), newestMinor])].filter((minor) => minor > 0)

/** What the walk finds in the cloud. */
export interface ComputeGrounds {
  imageRef: string
  projectId: string
  /** Of a project that flavors are given to. */
  otherProjectId: string
}

interface Server {
  id: string
  status: string
}

const serverRoute = '/v2.1/servers/:id'

/** Makes what can be made, as an administrator; looks at all of it in every microversion; takes it away again. */
export async function walkCompute(walk: Walk, { imageRef, projectId, otherProjectId }: ComputeGrounds): Promise<void> {
  const flavorId = await makeFlavors(walk, otherProjectId)
  await makeKeypairs(walk)
  const server = await makeServers(walk, { imageRef, flavorRef: flavorId })
  await useServer(walk, server)
  const plugged = await plug(walk, server)
  await setLimits(walk, projectId)
  const seen = { ...(await firstOfEach(walk)), ...plugged, flavor: flavorId, server, project: projectId }
  for (const minor of minors) await Promise.all(looks(seen, minor).map(([route, asked]) => walk.askIfThere('GET', route, asked)))
  await useServices(walk)
  await takeAway(walk, { server, flavorId, projectId })
}

async function makeFlavors(walk: Walk, otherProjectId: string): Promise<string> {
  const flavor = { name: 'walked', ram: 64, vcpus: 1, disk: 1, swap: 0, rxtx_factor: 1, 'OS-FLV-EXT-DATA:ephemeral': 0 }
  const route = '/v2.1/flavors'
  for (const minor of [1, 54]) await walk.ask('POST', route, { body: { flavor: { ...flavor, name: `old ${minor}` } }, minor })
  const body = { flavor: { ...flavor, description: 'for a walk', 'os-flavor-access:is_public': false } }
  const { flavor: made } = await walk.ask<{ flavor: { id: string } }>('POST', route, { body })
  const parameters = { id: made.id, flavor_id: made.id, key: 'hw:cpu_policy' }
  await walk.ask('PUT', `${route}/:id`, { parameters, body: { flavor: { description: 'changed' } } })
  const specs = { 'hw:cpu_policy': 'shared', 'quota:cpu_shares': '10' }
  await walk.ask('POST', `${route}/:flavor_id/os-extra_specs`, { parameters, body: { extra_specs: specs } })
  const spec = { 'hw:cpu_policy': 'dedicated' }
  await walk.ask('PUT', `${route}/:flavor_id/os-extra_specs/:key`, { parameters, body: spec })
  await walk.ask('DELETE', `${route}/:flavor_id/os-extra_specs/:key`, { parameters })
  for (const action of ['addTenantAccess', 'removeTenantAccess', 'addTenantAccess'])
    await walk.ask('POST', `${route}/:id/action`, { parameters, body: { [action]: { tenant: otherProjectId } } })
  return made.id
}

async function makeKeypairs(walk: Walk): Promise<void> {
  const make = (keypair: object, minor: number) =>
    walk.ask<{ keypair: { public_key: string } }>('POST', '/v2.1/os-keypairs', { body: { keypair }, minor })
  const { keypair } = await make({ name: 'walked' }, 1)
  await make({ name: 'walked-2', type: 'ssh' }, 91)
  await make({ name: 'walked-92', type: 'ssh', public_key: keypair.public_key }, 92)
  await walk.ask('DELETE', '/v2.1/os-keypairs/:name', { parameters: { name: 'walked-2' } })
}

async function makeServers(walk: Walk, parts: { imageRef: string; flavorRef: string }): Promise<string> {
  const make = (server: object, minor = newestMinor) =>
    walk.ask<{ server: Server }>('POST', '/v2.1/servers', { body: { server: { ...parts, ...server } }, minor })
  await make({ name: 'old', accessIPv4: '192.0.2.1', personality: [{ path: '/etc/motd', contents: 'aGVsbG8=' }] }, 1)
  await make({ name: 'several', min_count: 1, max_count: 2, return_reservation_id: true, networks: 'none' }, 37)
  const { server } = await make({
    name: 'walked',
    networks: [],
    description: 'for a walk',
    key_name: 'walked',
    tags: ['one', 'two'],
    hostname: 'walked',
    metadata: { a: 'b' },
    user_data: 'IyEvYmluL3NoCg==',
    config_drive: true,
    accessIPv4: '192.0.2.1',
    accessIPv6: '2001:db8::1',
    'OS-DCF:diskConfig': 'MANUAL',
    availability_zone: 'nova',
  })
  await waitFor(
    'every server is ACTIVE',
    async () => {
      const { servers } = await walk.ask<{ servers: Server[] }>('GET', '/v2.1/servers/detail')
      return servers.length === 4 && servers.every(({ status }) => status === 'ACTIVE')
    },
    { timeoutMs: 30_000, everyMs: 50 },
  )
  return server.id
}

async function useServer(walk: Walk, id: string): Promise<void> {
  const parameters = { id, key: 'c' }
  for (const minor of [1, 37, 75, newestMinor])
    await walk.ask('PUT', serverRoute, { parameters, body: { server: { name: `walked ${minor}` } }, minor })
  await walk.ask('PUT', serverRoute, {
    parameters,
    body: { server: { description: 'changed', hostname: 'changed' } },
  })
  const metadata = `${serverRoute}/metadata`
  await walk.ask('POST', metadata, { parameters, body: { metadata: { c: 'd' } } })
  await walk.ask('PUT', metadata, { parameters, body: { metadata: { a: 'b', c: 'e' } } })
  await walk.ask('PUT', `${metadata}/:key`, { parameters, body: { meta: { c: 'f' } } })
  await walk.ask('DELETE', `${metadata}/:key`, { parameters })
  await walk.ask('DELETE', `${serverRoute}/os-server-password`, { parameters })
  for (const [body, status] of actions) await act(walk, id, body, status)
}

const networkName = 'walked'

/** An interface, which it keeps. What is attached in the end is waited for by nobody: a deletion overtakes it. */
async function plug(walk: Walk, id: string): Promise<{ port: string; group: string }> {
  const made = await walk.ask<{ network: { id: string } }>('POST', '/v2.0/networks', { body: { network: { name: networkName } } })
  const subnet = { network_id: made.network.id, ip_version: 4, cidr: '10.5.0.0/24' }
  await walk.ask('POST', '/v2.0/subnets', { body: { subnet } })
  const { interfaceAttachment } = await walk.ask<{ interfaceAttachment: { port_id: string } }>(
    'POST',
    `${serverRoute}/os-interface`,
    { parameters: { id }, body: { interfaceAttachment: { net_id: made.network.id, tag: 'walked' } } },
  )
  const groups = await walk.ask<{ security_groups: { id: string }[] }>('GET', `${serverRoute}/os-security-groups`, {
    parameters: { id },
  })
  return { port: interfaceAttachment.port_id, group: groups.security_groups[0]!.id }
}

const actions = [
  [{ 'os-stop': null }, 'SHUTOFF'],
  [{ 'os-start': null }, 'ACTIVE'],
  [{ reboot: { type: 'SOFT' } }, 'ACTIVE'],
  [{ reboot: { type: 'HARD' } }, 'ACTIVE'],
  [{ lock: { locked_reason: 'walking' } }, 'ACTIVE'],
  [{ unlock: null }, 'ACTIVE'],
  [{ 'os-getConsoleOutput': { length: 5 } }, 'ACTIVE'],
] as const

async function act(walk: Walk, id: string, body: object, status: string): Promise<void> {
  await walk.ask('POST', `${serverRoute}/action`, { parameters: { id }, body })
  const show = () => walk.ask<{ server: Record<string, unknown> }>('GET', serverRoute, { parameters: { id } })
  await waitFor(
    `${JSON.stringify(body)} is done`,
    async () => {
      const { server } = await show()
      return server.status === status && server['OS-EXT-STS:task_state'] === null
    },
    { timeoutMs: 30_000, everyMs: 20 },
  )
}

async function setLimits(walk: Walk, projectId: string): Promise<void> {
  const parameters = { project_id: projectId }
  for (const minor of [1, 36, 57, newestMinor])
    await walk.ask('PUT', '/v2.1/os-quota-sets/:project_id', {
      parameters,
      body: { quota_set: { instances: 50, ram: -1 } },
      minor,
    })
}

interface Seen {
  hypervisor: string
  hypervisorNumber: string
  requestId: string
  flavor: string
  server: string
  port: string
  group: string
  project: string
}

async function firstOfEach(walk: Walk): Promise<Pick<Seen, 'hypervisor' | 'hypervisorNumber' | 'requestId'>> {
  const first = async (minor: number) =>
    (await walk.ask<{ hypervisors: { id: string }[] }>('GET', '/v2.1/os-hypervisors', { minor })).hypervisors[0]!.id
  const { servers } = await walk.ask<{ servers: Server[] }>('GET', '/v2.1/servers', { query: '?name=walked' })
  const { instanceActions } = await walk.ask<{ instanceActions: { request_id: string }[] }>(
    'GET',
    `${serverRoute}/os-instance-actions`,
    { parameters: { id: servers[0]!.id } },
  )
  return { hypervisor: await first(newestMinor), hypervisorNumber: await first(1), requestId: instanceActions.at(-1)!.request_id }
}

const overTheCloud = [
  '/v2.1',
  '/v2.1/extensions',
  '/v2.1/extensions/:alias',
  '/v2.1/limits',
  '/v2.1/os-aggregates',
  '/v2.1/os-availability-zone',
  '/v2.1/os-availability-zone/detail',
  '/v2.1/os-services',
  '/v2.1/os-keypairs',
  '/v2.1/os-keypairs/:name',
  '/v2.1/os-hypervisors/detail',
  '/v2.1/os-hypervisors/statistics',
  '/v2.1/os-hypervisors/:id',
  '/v2.1/os-hypervisors/:id/uptime',
  '/v2.1/os-hypervisors/:pattern/search',
  '/v2.1/os-hypervisors/:pattern/servers',
]
const listsOfFlavors = ['', '/detail']
const ofFlavors = ['/:id', '/:flavor_id/os-extra_specs', '/:flavor_id/os-extra_specs/:key', '/:id/os-flavor-access']
const listsOfServers = ['', '/detail']
const ofServers = [
  '/:id',
  '/:id/ips',
  '/:id/ips/:network',
  '/:id/os-interface',
  '/:id/os-interface/:port',
  '/:id/os-security-groups',
  '/:id/os-server-password',
  '/:id/metadata',
  '/:id/metadata/:key',
  '/:id/os-instance-actions',
  '/:id/os-instance-actions/:requestId',
]
const ofQuotas = ['', '/defaults', '/detail']

/** Every route that shows something, in one microversion. */
function looks(seen: Seen, minor: number): [route: string, asked: Asked][] {
  const all = (prefix: string, routes: readonly string[], parameters: Record<string, string>, query = '') =>
    routes.map((route): [string, Asked] => [`${prefix}${route}`, { parameters, query, minor }])
  const hypervisor = minor < 53 ? seen.hypervisorNumber : seen.hypervisor
  const flavor = { id: seen.flavor, flavor_id: seen.flavor, key: 'quota:cpu_shares' }
  return [
    ...all('', overTheCloud, { alias: 'os-keypairs', name: 'walked', id: hypervisor, pattern: 'host' }),
    ...all('/v2.1/flavors', listsOfFlavors, {}, '?limit=2&is_public=None'),
    ...all('/v2.1/flavors', ofFlavors, flavor),
    ...all('/v2.1/servers', listsOfServers, {}, '?limit=2'),
    ...all('/v2.1/servers', ofServers, { ...seen, id: seen.server, key: 'a', network: networkName }),
    ...all('/v2.1/os-security-groups', ['', '/:id'], { id: seen.group }),
    ...all('/v2.1/os-quota-sets/:project_id', ofQuotas, { project_id: seen.project }),
  ]
}

async function useServices(walk: Walk): Promise<void> {
  const { services } = await walk.ask<{ services: { id: string; binary: string; host: string }[] }>(
    'GET',
    '/v2.1/os-services',
    {},
  )
  const { id, host, binary } = services.find((service) => service.binary === 'nova-compute')!
  const change = (service: string, body: object, minor: number) =>
    walk.ask('PUT', '/v2.1/os-services/:id', { parameters: { id: service }, body, minor })
  await change(id, { status: 'disabled', disabled_reason: 'walking' }, newestMinor)
  await change(id, { status: 'enabled' }, newestMinor)
  await change('disable-log-reason', { host, binary, disabled_reason: 'walking' }, 1)
  await change('enable', { host, binary }, 1)
}

async function takeAway(walk: Walk, { server, flavorId, projectId }: { server: string; flavorId: string; projectId: string }) {
  await walk.ask('DELETE', serverRoute, { parameters: { id: server } })
  const { servers } = await walk.ask<{ servers: Server[] }>('GET', '/v2.1/servers')
  // The one that is being deleted may be gone by now.
  for (const { id } of servers.filter((other) => other.id !== server))
    await walk.ask('POST', `${serverRoute}/action`, { parameters: { id }, body: { forceDelete: null } })
  await walk.ask('DELETE', '/v2.1/flavors/:id', { parameters: { id: flavorId } })
  await walk.ask('DELETE', '/v2.1/os-quota-sets/:project_id', { parameters: { project_id: projectId } })
}
