import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { withImpliedRoles, type Caller, type Policy, type Scope } from '@nubo/auth'
import type { DomainId, ProjectId, UserId } from '@nubo/kernel'
import { servedRoutes, type ServedRoute } from '@nubo/service-kit'
import { computeMicroversions, computeRange } from './compute/microversions/registry.js'
import { TestApi } from './testing/test-api.js'

// Every route as every role at every scope. Who may is written down here once more, by hand: a policy that changes by
// mistake fails, and so does a route whose policy is not in this table.

const scopes: Record<string, Scope> = {
  project: {
    kind: 'project',
    projectId: 'own-project' as ProjectId,
    projectName: 'own',
    projectDomainId: 'own-domain' as DomainId,
  },
  domain: { kind: 'domain', domainId: 'own-domain' as DomainId },
  system: { kind: 'system' },
}
const roles = ['admin', 'manager', 'member', 'reader', 'stranger']
const names = [...Object.keys(scopes).flatMap((scope) => roles.map((role) => `${role}@${scope}`)), 'nobody@unscoped']

const operators = ['admin@project', 'admin@system']
const auditors = [...operators, 'manager@system', 'member@system', 'reader@system']
const readers = ['admin@project', 'manager@project', 'member@project', 'reader@project', 'admin@system']
const members = ['admin@project', 'manager@project', 'member@project', 'admin@system']
const everybody = names
/** Of a path that names the caller's own project (or user, or domain): beside the auditors. */
const inProject = names.filter((name) => name.endsWith('@project'))
const inDomain = names.filter((name) => name.endsWith('@project') || name.endsWith('@domain'))

const resourcePolicies = (singular: string) => ({
  [`get_${singular}`]: readers,
  [`create_${singular}`]: members,
  [`update_${singular}`]: members,
  [`delete_${singular}`]: members,
})
const tagPolicies = (plural: string) => ({
  [`get_${plural}_tags`]: readers,
  [`update_${plural}_tags`]: members,
  [`delete_${plural}_tags`]: members,
})

/** Who may; and, where it differs, who may if the path names what is their own. */
const table: Record<string, readonly string[] | { foreign: readonly string[]; own: readonly string[] }> = {
  'identity:ask_about_token': everybody,
  'identity:get_auth_catalog': everybody,
  'identity:get_auth_projects': everybody,
  'identity:get_auth_domains': everybody,
  'identity:get_auth_system': everybody,
  'identity:list_services': auditors,
  'identity:get_service': auditors,
  'identity:list_endpoints': auditors,
  'identity:get_endpoint': auditors,
  'identity:list_regions': everybody,
  'identity:get_region': everybody,
  'identity:list_domains': auditors,
  'identity:get_domain': { foreign: auditors, own: [...auditors, ...inDomain] },
  'identity:create_domain': operators,
  'identity:update_domain': operators,
  'identity:delete_domain': operators,
  'identity:list_projects': auditors,
  'identity:get_project': { foreign: auditors, own: [...auditors, ...inProject] },
  'identity:create_project': operators,
  'identity:update_project': operators,
  'identity:delete_project': operators,
  'identity:list_user_projects': { foreign: auditors, own: everybody },
  'identity:list_users': auditors,
  'identity:get_user': { foreign: auditors, own: everybody },
  'identity:create_user': operators,
  'identity:update_user': operators,
  'identity:delete_user': operators,
  'identity:list_roles': auditors,
  'identity:get_role': auditors,
  'identity:create_role': operators,
  'identity:update_role': operators,
  'identity:delete_role': operators,
  'identity:list_role_assignments': auditors,
  'identity:list_grants': auditors,
  'identity:check_grant': auditors,
  'identity:create_grant': operators,
  'identity:revoke_grant': operators,

  'os_compute_api:servers:index': readers,
  'os_compute_api:servers:detail': readers,
  'os_compute_api:servers:create': members,
  'os_compute_api:servers:show': readers,
  'os_compute_api:servers:update': members,
  'os_compute_api:servers:delete': members,
  'os_compute_api:servers:start': members,
  'os_compute_api:servers:stop': members,
  'os_compute_api:servers:reboot': members,
  'os_compute_api:ips:index': readers,
  'os_compute_api:ips:show': readers,
  'os_compute_api:os-attach-interfaces:list': readers,
  'os_compute_api:os-attach-interfaces:show': readers,
  'os_compute_api:os-attach-interfaces:create': members,
  'os_compute_api:os-attach-interfaces:delete': members,
  'os_compute_api:os-security-groups:get': readers,
  'os_compute_api:os-security-groups:show': readers,
  'os_compute_api:os-security-groups:list': readers,
  'os_compute_api:os-security-groups:add': members,
  'os_compute_api:os-security-groups:remove': members,
  'os_compute_api:os-multinic:add': members,
  'os_compute_api:os-multinic:remove': members,
  'os_compute_api:os-console-output': members,
  'os_compute_api:os-lock-server:lock': members,
  'os_compute_api:os-lock-server:unlock': members,
  'os_compute_api:server-metadata:index': readers,
  'os_compute_api:server-metadata:update_all': members,
  'os_compute_api:server-metadata:delete': members,
  'os_compute_api:os-server-password:show': readers,
  'os_compute_api:os-server-password:clear': members,
  'os_compute_api:os-instance-actions:list': readers,
  'os_compute_api:os-instance-actions:show': readers,
  'os_compute_api:flavors:index': everybody,
  'os_compute_api:flavors:detail': everybody,
  'os_compute_api:flavors:show': everybody,
  'os_compute_api:os-flavor-manage:create': operators,
  'os_compute_api:os-flavor-manage:update': operators,
  'os_compute_api:os-flavor-manage:delete': operators,
  'os_compute_api:os-flavor-access': operators,
  'os_compute_api:os-flavor-access:add_tenant_access': operators,
  'os_compute_api:os-flavor-access:remove_tenant_access': operators,
  'os_compute_api:os-flavor-extra-specs:index': readers,
  'os_compute_api:os-flavor-extra-specs:show': readers,
  'os_compute_api:os-flavor-extra-specs:create': operators,
  'os_compute_api:os-flavor-extra-specs:update': operators,
  'os_compute_api:os-flavor-extra-specs:delete': operators,
  'os_compute_api:os-keypairs:index': everybody,
  'os_compute_api:os-keypairs:create': everybody,
  'os_compute_api:os-keypairs:show': everybody,
  'os_compute_api:os-keypairs:delete': everybody,
  'os_compute_api:os-quota-sets:show': { foreign: operators, own: readers },
  'os_compute_api:os-quota-sets:detail': { foreign: operators, own: readers },
  'os_compute_api:os-quota-sets:defaults': everybody,
  'os_compute_api:os-quota-sets:update': operators,
  'os_compute_api:os-quota-sets:delete': operators,
  'os_compute_api:limits': everybody,
  'os_compute_api:os-hypervisors:list': operators,
  'os_compute_api:os-hypervisors:list-detail': operators,
  'os_compute_api:os-hypervisors:statistics': operators,
  'os_compute_api:os-hypervisors:show': operators,
  'os_compute_api:os-hypervisors:uptime': operators,
  'os_compute_api:os-hypervisors:search': operators,
  'os_compute_api:os-hypervisors:servers': operators,
  'os_compute_api:os-aggregates:index': operators,
  'os_compute_api:os-services:list': operators,
  'os_compute_api:os-services:update': operators,
  'os_compute_api:os-services:delete': operators,
  'os_compute_api:os-availability-zone:list': everybody,
  'os_compute_api:os-availability-zone:detail': operators,
  'os_compute_api:extensions': everybody,
  ...resourcePolicies('network'),
  ...tagPolicies('networks'),
  ...resourcePolicies('subnet'),
  ...tagPolicies('subnets'),
  ...resourcePolicies('subnetpool'),
  ...tagPolicies('subnetpools'),
  ...resourcePolicies('port'),
  ...tagPolicies('ports'),
  ...resourcePolicies('security_group'),
  ...tagPolicies('security_groups'),
  ...resourcePolicies('security_group_rule'),
  ...resourcePolicies('router'),
  ...tagPolicies('routers'),
  add_router_interface: members,
  remove_router_interface: members,
  add_extraroutes: members,
  remove_extraroutes: members,
  ...resourcePolicies('floatingip'),
  ...tagPolicies('floatingips'),
  ...resourcePolicies('rbac_policy'),
  get_quotas: operators,
  get_quota: { foreign: operators, own: readers },
  update_quota: operators,
  delete_quota: operators,
  get_extension: everybody,
  get_agent: everybody,
  update_agent: operators,
  delete_agent: operators,
  get_network_ip_availability: everybody,
  get_availability_zone: readers,
  'nubo:hypervisors:show': operators,
  'nubo:network_trace:show': readers,
  'nubo:placement:show': readers,
  'nubo:doctor:examine': operators,
  'nubo:doctor:repair': operators,
  'nubo:hosts:list': operators,
  'nubo:hosts:show': operators,
  'nubo:hosts:fence': operators,
  'nubo:hosts:release': operators,
  'nubo:host-keys:list': operators,
  'nubo:host-keys:enrol': operators,
  'nubo:host-keys:remove': operators,
  'nubo:operations:list': readers,
  'nubo:operations:show': readers,
}

let api: TestApi
let tokens: Record<string, string>
let routes: readonly ServedRoute[]

beforeAll(async () => {
  api = await TestApi.start()
  routes = servedRoutes(api.app).filter(({ method }) => method !== 'HEAD')
  const signed = names.map(async (name) => [name, await api.signer.sign(callerCalled(name))] as const)
  tokens = Object.fromEntries(await Promise.all(signed))
})
afterAll(() => api.stop())

function callerCalled(name: string): Caller {
  const [role, scope] = name.split('@') as [string, string]
  return {
    userId: 'own-user' as UserId,
    userName: name,
    userDomainId: 'own-domain' as DomainId,
    scope: scopes[scope] ?? { kind: 'unscoped' },
    roles: role === 'nobody' ? [] : withImpliedRoles([role]),
    methods: ['password'],
    auditId: name,
    parentAuditId: undefined,
    issuedAtMs: Date.now(),
    expiresAtMs: Date.now() + 600_000,
  }
}

const pathOf = (url: string, own: boolean) =>
  url.replace(/:(\w+)/g, (_, parameter: string) => `${own ? 'own' : 'foreign'}-${parameter.replace(/_?id$/i, '') || 'thing'}`)

/** The words of each API for a policy that said no; anything else is an answer of the route itself. */
function denial({ name }: Policy): string {
  if (name.startsWith('identity:')) return `You are not authorized to perform the requested action: ${name}.`
  return name.includes(':') ? `Policy doesn't allow ${name} to be performed.` : `rule:${name} is disallowed by policy`
}

async function whoMay(route: ServedRoute, policy: Policy, own: boolean, action?: string): Promise<string[]> {
  const { method, url } = route
  const body = action === undefined ? (method === 'GET' || method === 'DELETE' ? undefined : {}) : { [action]: null }
  const answers = await Promise.all(
    names.map(async (name) => {
      const request = { token: tokens[name]!, body, headers: versionIn(route, action) }
      const response = await api.send(method, pathOf(url, own), request)
      if (response.statusCode >= 500)
        throw new Error(`${method} ${url} as ${name}: ${api.logLines.findLast((line) => line.includes('"error"'))}`)
      return { name, denied: response.statusCode === 403 && response.body.includes(denial(policy)) }
    }),
  )
  return answers.filter(({ denied }) => !denied).map(({ name }) => name)
}

/** The newest version in which the route exists, or its action. */
function versionIn({ declaration: { operation } }: ServedRoute, action?: string): Record<string, string> {
  const { major, maximum } = computeRange
  const name = action === undefined ? operation : `${operation}.${action}`
  let minor = maximum
  while (name !== undefined && !computeMicroversions.plan(name, {}, minor).available) minor--
  return { 'openstack-api-version': `compute ${major}.${minor}` }
}

describe('every route', () => {
  it('names a policy that stands in the table, and the table no other', () => {
    const used = new Set(routes.flatMap(({ declaration }) => policiesOf(declaration).map(({ policy }) => policy.name)))
    expect([...used].toSorted()).toEqual(Object.keys(table).toSorted())
  })

  it('that needs no token is meant to', () => {
    const open = routes.filter(({ declaration }) => declaration.public).map(({ method, url }) => `${method} ${url}`)
    expect(open.toSorted()).toEqual([
      'GET /',
      'GET /compute',
      'GET /healthz',
      'GET /network',
      'GET /nubo/v1',
      'GET /readyz',
      'GET /v2',
      'GET /v2.0',
      'GET /v2.1',
      'GET /v3',
      'POST /v3/auth/tokens',
      'POST /v3/users/:user_id/password',
    ])
  })

  it('answers 401 without a token', async () => {
    for (const { method, url, declaration } of routes) {
      if (declaration.public) continue
      const response = await api.send(method, pathOf(url, true))
      expect([method, url, response.statusCode]).toEqual([method, url, 401])
    }
  })

  it.each([false, true])(
    'lets in whom the table says and nobody else (the path names their own: %s)',
    async (own) => {
      for (const route of routes)
        for (const { policy, action } of policiesOf(route.declaration)) {
          const entry = table[policy.name]!
          const expected = 'own' in entry ? (own ? entry.own : entry.foreign) : entry
          const found = await whoMay(route, policy, own, action)
          const what = `${route.method} ${route.url} ${action ?? ''} ${policy.name}`
          expect([what, found]).toEqual([what, names.filter((name) => expected.includes(name))])
        }
    },
    60_000,
  )
})

function policiesOf({ policy, actions }: ServedRoute['declaration']): { policy: Policy; action?: string }[] {
  if (actions) return Object.entries(actions).map(([action, { policy: guard }]) => ({ policy: guard, action }))
  return policy ? [{ policy }] : []
}
