import type { CloudClient } from '../../support/client.js'
import type { Walk } from './walk.js'

export interface IdentityGrounds {
  /** Whose token is looked at, and ended. */
  demo: CloudClient
  demoPassword: string
}

type Made = Record<string, { id: string }>

const loginBody = (name: string, password: string) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name, domain: { id: 'default' }, password } } },
    scope: { project: { name, domain: { id: 'default' } } },
  },
})

/** Makes one of each, looks at all of it, takes it away again. */
export async function walkIdentity(walk: Walk, { demo, demoPassword }: IdentityGrounds): Promise<void> {
  for (const route of ['/', '/v3']) await walk.ask('GET', route).catch(unlessChoices)
  for (const kind of ['catalog', 'projects', 'domains', 'system']) await walk.ask('GET', `/v3/auth/${kind}`)
  await walk.ask('POST', '/v3/auth/tokens', { body: loginBody('demo', demoPassword) })
  const headers = { 'X-Subject-Token': demo.token! }
  for (const method of ['GET', 'DELETE']) await walk.ask(method, '/v3/auth/tokens', { headers })
  const domain = await walkRecords(walk, 'domain', { name: 'walked', description: 'for a walk', enabled: true })
  const project = await walkRecords(walk, 'project', { name: 'walked', domain_id: domain, description: 'for a walk' })
  const user = await walkRecords(walk, 'user', {
    name: 'walked',
    domain_id: domain,
    password: 'old-secret',
    email: 'a@example.org',
    default_project_id: project,
  })
  const role = await walkRecords(walk, 'role', { name: 'walked', description: 'for a walk' })
  await walkGrants(walk, { domain_id: domain, project_id: project, user_id: user, role_id: role })
  const change = { user: { original_password: 'old-secret', password: 'new-secret' } }
  await walk.ask('POST', '/v3/users/:user_id/password', { parameters: { user_id: user }, body: change })
  await walk.ask('GET', '/v3/users/:user_id/projects', { parameters: { user_id: user } })
  for (const kind of ['service', 'endpoint', 'region']) await walkCatalog(walk, kind)
  await walk.ask('PATCH', '/v3/domains/:domain_id', { parameters: { domain_id: domain }, body: { domain: { enabled: false } } })
  for (const [kind, id] of Object.entries({ role, user, project, domain }))
    await walk.ask('DELETE', `/v3/${kind}s/:${kind}_id`, { parameters: { [`${kind}_id`]: id } })
}

/** The root answers with 300, which is as good as any. */
function unlessChoices(error: Error): void {
  if (!error.message.includes(': 300 ')) throw error
}

async function walkRecords(walk: Walk, kind: string, record: Record<string, unknown>): Promise<string> {
  const { [kind]: made } = await walk.ask<Made>('POST', `/v3/${kind}s`, { body: { [kind]: record } })
  const parameters = { [`${kind}_id`]: made!.id }
  await walk.ask('GET', `/v3/${kind}s`)
  await walk.ask('GET', `/v3/${kind}s/:${kind}_id`, { parameters })
  await walk.ask('PATCH', `/v3/${kind}s/:${kind}_id`, { parameters, body: { [kind]: { description: 'changed' } } })
  return made!.id
}

async function walkGrants(walk: Walk, parameters: Record<string, string>): Promise<void> {
  for (const target of ['projects/:project_id', 'domains/:domain_id', 'system']) {
    const roles = `/v3/${target}/users/:user_id/roles`
    await walk.ask('PUT', `${roles}/:role_id`, { parameters })
    await walk.ask('GET', `${roles}/:role_id`, { parameters })
    await walk.ask('GET', roles, { parameters })
    for (const query of ['', '?include_names', '?effective&include_names'])
      await walk.ask('GET', '/v3/role_assignments', { query })
    await walk.ask('DELETE', `${roles}/:role_id`, { parameters })
  }
}

async function walkCatalog(walk: Walk, kind: string): Promise<void> {
  const body = await walk.ask<Record<string, { id: string }[]>>('GET', `/v3/${kind}s`)
  await walk.ask('GET', `/v3/${kind}s/:${kind}_id`, { parameters: { [`${kind}_id`]: body[`${kind}s`]![0]!.id } })
}
