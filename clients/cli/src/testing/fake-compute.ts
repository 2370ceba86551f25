import type { FakeCloud, FakeServer } from './fake-cloud.js'
import { projectId } from './fake-identity.js'
import { pageOf } from './fake-pages.js'
import type { Answer, Recorded } from './recording-server.js'

export const flavors = [flavor('1', 'tiny', 1, 128), flavor('2', 'small', 2, 512)]

/** Gives a cloud Nova, up to the microversion of its options. */
export function addFakeCompute(cloud: FakeCloud): void {
  const { computeMaximum: maximum, nubo } = cloud.options
  const version = {
    id: maximum === undefined ? 'v2.0' : 'v2.1',
    status: 'CURRENT',
    version: maximum ?? '',
    min_version: maximum === undefined ? '' : '2.1',
    updated: '2013-07-23T11:33:21Z',
    links: [{ rel: 'self', href: `http://internal.example:8774/compute/${maximum === undefined ? 'v2' : 'v2.1'}/` }],
  }
  const api = String.raw`^/compute/v2(?:\.1)?(?:/${projectId})?`
  const at = (path: string) => new RegExp(`${api}${path}(?:\\?(?<query>.*))?$`)
  cloud.on('GET', /^\/compute\/?$/, () => ({ status: 300, body: { versions: [version] } }))
  cloud.on('GET', /^\/compute\/v2(\.1)?\/$/, () => ({ body: { version } }))
  cloud.on('GET', at('/servers/(?<id>[^/?]+)'), (_request, match) => showServer(cloud, match.groups!.id!))
  cloud.on('GET', at('/servers/detail'), (_request, match) => serverPage(cloud, new URLSearchParams(match.groups!.query)))
  cloud.on('POST', at('/servers'), (request) => createServer(cloud, request))
  cloud.on('DELETE', at('/servers/(?<id>[^/?]+)'), () => ({ status: 204 }))
  cloud.on('PUT', at('/servers/(?<id>[^/?]+)'), (request, match) => {
    Object.assign(
      cloud.servers.find(({ id }) => id === match.groups!.id)!,
      request.json().server,
    )
    return showServer(cloud, match.groups!.id!)
  })
  cloud.on('POST', at('/servers/(?<id>[^/?]+)/metadata'), (request) => ({ body: request.json() }))
  cloud.on('DELETE', at('/servers/(?<id>[^/?]+)/metadata/[^/]+'), () => ({ status: 204 }))
  cloud.on('POST', at('/servers/(?<id>[^/?]+)/action'), (request) =>
    'os-getConsoleOutput' in request.json() ? { body: { output: 'Booting\nlogin: ' } } : { status: 202 },
  )
  cloud.on('GET', at('/flavors/detail'), () => ({ body: { flavors: cloud.flavors } }))
  cloud.on('GET', at('/os-keypairs'), () => ({ body: { keypairs: cloud.keypairs.map((keypair) => ({ keypair })) } }))
  cloud.on('POST', at('/os-keypairs'), (request) => {
    const keypair = { ...request.json().keypair, fingerprint: 'aa:bb', user_id: 'u1' }
    cloud.keypairs.push(keypair)
    return { status: 201, body: { keypair } }
  })
  if (nubo)
    cloud.on('GET', /^\/compute\/nubo\/v1$/, () => ({
      body: { version: { id: 'v1', idempotency_keys: { header: 'Idempotency-Key', kept_hours: 24 } } },
    }))
}

/** One page, with a link to the next whose host and path nobody can reach, as behind many a proxy. */
function serverPage(cloud: FakeCloud, query: URLSearchParams): Answer {
  const name = query.get('name')
  const reservation = query.get('reservation_id')
  const matching = cloud.servers.filter(
    (server) =>
      (name === null || new RegExp(name).test(server.name)) && (reservation === null || server.reservation === reservation),
  )
  const { page, next } = pageOf(matching, query, cloud.options.pageSize)
  const link = next && `http://internal.example:8774/v2.1/servers/detail?${next}`
  return {
    body: {
      servers: page.map((server) => serverRecord(server)),
      ...(link && { servers_links: [{ rel: 'next', href: link }] }),
    },
  }
}

function showServer(cloud: FakeCloud, id: string): Answer {
  const server = cloud.servers.find((candidate) => candidate.id === id)
  const state = server && server.next.length > 1 ? server.next.shift() : server?.next[0]
  if (!server || state === null)
    return { status: 404, body: { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } } }
  return { body: { server: serverRecord({ ...server, ...state }) } }
}

function createServer(cloud: FakeCloud, request: Recorded): Answer {
  const { server } = request.json()
  if (!server.return_reservation_id) {
    const made = cloud.addServer({
      name: server.name,
      status: 'BUILD',
      next: [{ status: 'BUILD', 'OS-EXT-STS:task_state': 'spawning' }, { status: 'ACTIVE' }],
    })
    return { status: 202, body: { server: { id: made.id, links: [], adminPass: 'made-up-by-nova' } } }
  }
  for (let number = 1; number <= server.max_count; number += 1) {
    cloud.addServer({
      name: `${server.name}-${number}`,
      reservation: 'r-abc',
      status: 'BUILD',
      next: [{ status: 'BUILD' }, { status: 'ACTIVE' }],
    })
  }
  return { status: 202, body: { reservation_id: 'r-abc' } }
}

function serverRecord({ next: _next, reservation: _reservation, ...server }: FakeServer): Record<string, unknown> {
  return {
    tenant_id: projectId,
    user_id: 'u1',
    metadata: {},
    addresses: {},
    image: '',
    flavor: { original_name: 'small', vcpus: 2, ram: 512, disk: 5, ephemeral: 0, swap: 0, extra_specs: {} },
    created: '2026-11-23T12:00:00Z',
    updated: '2026-11-23T12:00:01Z',
    config_drive: '',
    key_name: null,
    'OS-EXT-STS:task_state': null,
    ...server,
  }
}

function flavor(id: string, name: string, vcpus: number, ram: number): Record<string, unknown> {
  return {
    id,
    name,
    vcpus,
    ram,
    disk: 5,
    swap: 0,
    'OS-FLV-EXT-DATA:ephemeral': 0,
    'os-flavor-access:is_public': true,
    extra_specs: {},
    description: null,
  }
}
