import { randomUUID } from 'node:crypto'
import type { FakeCloud } from './fake-cloud.js'
import type { Answer, Recorded } from './recording-server.js'

export const password = 'correct horse'
export const projectId = 'a4f1c0ffee0000000000000000000001'

export const unauthorized: Answer = {
  status: 401,
  body: { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
}

/** Gives a cloud Keystone v3, as far as a tenant asks it. */
export function addFakeIdentity(cloud: FakeCloud): void {
  const version = {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: 'http://internal.example/identity/v3/' }],
  }
  cloud.on('GET', /^\/identity\/?$/, () => ({ status: 300, body: { versions: { values: [version] } } }))
  cloud.on('GET', /^\/identity\/v3\/?$/, () => ({ body: { version } }))
  cloud.on('POST', /^\/identity\/v3\/auth\/tokens$/, (request) => issueToken(cloud, request))
  cloud.on('GET', /^\/identity\/v3\/projects\?name=(.*)$/, (_request, [, name]) => ({
    body: { projects: name === 'other' ? [{ id: 'b'.repeat(32), name }] : [], links: { next: null } },
  }))
}

function issueToken(cloud: FakeCloud, request: Recorded): Answer {
  const { identity } = request.json().auth
  const secret = identity.password?.user.password ?? identity.token?.id ?? identity.application_credential?.secret
  if (secret !== password && !cloud.tokens.has(secret)) return unauthorized
  const token = `gAAAAA-${randomUUID()}`
  cloud.tokens.add(token)
  const endpoints = (path: string) =>
    (cloud.options.regions ?? ['RegionOne']).flatMap((region) =>
      ['public', 'internal', 'admin'].map((face) => ({
        id: randomUUID(),
        interface: face,
        region,
        region_id: region,
        url: cloud.url + path,
      })),
    )
  return {
    status: 201,
    headers: { 'x-subject-token': token },
    body: {
      token: {
        methods: identity.methods,
        user: { domain: { id: 'default', name: 'Default' }, id: 'u1', name: 'demo', password_expires_at: null },
        audit_ids: ['x'],
        expires_at: '2026-11-23T13:00:00.000000Z',
        issued_at: '2026-11-23T12:00:00.000000Z',
        project: { domain: { id: 'default', name: 'Default' }, id: projectId, name: 'demo' },
        roles: [{ id: 'r1', name: 'member' }],
        catalog: [
          { id: '1', type: 'identity', name: 'keystone', endpoints: endpoints('/identity/v3') },
          { id: '2', type: 'compute', name: 'nova', endpoints: endpoints(`/compute${cloud.options.computePath}`) },
          { id: '3', type: 'image', name: 'glance', endpoints: endpoints(`/image${cloud.options.imagePath}`) },
          ...(cloud.options.network ? [{ id: '4', type: 'network', name: 'neutron', endpoints: endpoints('/network') }] : []),
        ],
      },
    },
  }
}
