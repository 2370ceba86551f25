import { CommandError, exitCode, usageError } from '../exit.js'
import type { CloudConfiguration } from './configuration.js'
import { refusal } from './errors.js'
import type { Transport } from './transport.js'
import { isUsable, parseVersionDocument, reachableAddress, trimSlashes } from './versions.js'

/** A token with what Keystone says about it. */
export interface Authorization {
  token: string
  expiresAt: string
  user: { id: string; name: string }
  project: { id: string; name: string } | undefined
  roles: string[]
  catalog: CatalogService[]
  /** Keystone's versioned address, without a slash at the end. */
  identityUrl: string
}

export interface CatalogService {
  type: string
  name: string
  endpoints: { interface: string; region: string; url: string }[]
}

interface WireToken {
  expires_at: string
  user: { id: string; name: string }
  project?: { id: string; name: string }
  roles?: { name: string }[]
  catalog?: {
    type: string
    name?: string
    endpoints?: { interface: string; region?: string; region_id?: string; url: string }[]
  }[]
}

type PasswordSource = (question: string) => Promise<string | undefined>

/**
 * `POST /v3/auth/tokens` (Keystone v3, "Password authentication with scoped authorization" and its neighbours). Asks for
 * the password on the terminal where none was configured, as the real client does.
 */
export async function authenticate(
  transport: Transport,
  configuration: CloudConfiguration,
  askPassword: PasswordSource,
): Promise<Authorization> {
  const identity = await identityMethod(configuration, askPassword)
  const scope = scopeOf(configuration)
  const identityUrl = await discoverIdentity(transport, configuration)
  const response = await transport.send({
    method: 'POST',
    url: `${identityUrl}/auth/tokens`,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, ...(scope && { scope }) } }),
  })
  if (response.status !== 201 && response.status !== 200) throw await refusal(response, 'Authentication')
  const token = response.headers['x-subject-token']
  const body = parseToken(await response.text())
  if (typeof token !== 'string' || !body) {
    throw new CommandError(exitCode.cloudError, `${identityUrl} does not answer like Keystone v3: is auth_url right?`)
  }
  return authorizationOf(token, body, identityUrl)
}

function authorizationOf(token: string, body: WireToken, identityUrl: string): Authorization {
  return {
    token,
    expiresAt: body.expires_at,
    user: body.user,
    project: body.project,
    roles: (body.roles ?? []).map((role) => role.name),
    catalog: (body.catalog ?? []).map((service) => ({
      type: service.type,
      name: service.name ?? '',
      endpoints: (service.endpoints ?? []).map((endpoint) => ({
        interface: endpoint.interface,
        region: endpoint.region_id ?? endpoint.region ?? '',
        url: endpoint.url,
      })),
    })),
    identityUrl,
  }
}

function parseToken(text: string): WireToken | undefined {
  try {
    return (JSON.parse(text) as { token?: WireToken }).token
  } catch {
    return undefined
  }
}

/** An auth_url that names /v3 is taken at its word; any other is asked for its versions. */
async function discoverIdentity(transport: Transport, { auth, cloudName }: CloudConfiguration): Promise<string> {
  const authUrl = auth.auth_url
  if (!authUrl) throw usageError(`The cloud '${cloudName}' has no auth_url: set OS_AUTH_URL, or auth_url in clouds.yaml`)
  if (!URL.canParse(authUrl) || !/^https?:/.test(authUrl)) throw usageError(`auth_url is not a web address: ${authUrl}`)
  const root = trimSlashes(authUrl)
  if (root.endsWith('/v3')) return root
  const response = await transport.send({ method: 'GET', url: authUrl, headers: { accept: 'application/json' } })
  const versions = parseVersionDocument(await response.text())
  const third = versions.find((version) => /^v3(\.|$)/.test(version.id) && isUsable(version))
  if (third) return third.href ? reachableAddress(authUrl, third.href) : `${root}/v3`
  if (versions.length > 0) throw new CommandError(exitCode.cloudError, `${authUrl} offers no identity API v3`)
  return root.endsWith('/v2.0') ? root.replace(/v2\.0$/, 'v3') : `${root}/v3`
}

async function identityMethod({ authType, auth, cloudName }: CloudConfiguration, askPassword: PasswordSource): Promise<object> {
  if (authType === 'token') {
    if (!auth.token) throw usageError('No token: set OS_TOKEN')
    return { methods: ['token'], token: { id: auth.token } }
  }
  if (authType === 'v3applicationcredential')
    return { methods: ['application_credential'], application_credential: applicationCredential(auth) }
  if (!auth.username && !auth.user_id)
    throw usageError(`The cloud '${cloudName}' has no user: set OS_USERNAME, or username in clouds.yaml`)
  const password = auth.password ?? (await askPassword('Password: '))
  if (password === undefined) throw usageError('No password: set OS_PASSWORD, or password in clouds.yaml or secure.yaml')
  return { methods: ['password'], password: { user: { ...userOf(auth), password } } }
}

function applicationCredential(auth: CloudConfiguration['auth']): object {
  const { application_credential_id: id, application_credential_name: name, application_credential_secret: secret } = auth
  if (!secret) throw usageError('No secret for the application credential: set OS_APPLICATION_CREDENTIAL_SECRET')
  if (id) return { id, secret }
  if (!name) throw usageError('No application credential: set OS_APPLICATION_CREDENTIAL_ID')
  return { name, secret, user: userOf(auth) }
}

function userOf(auth: CloudConfiguration['auth']): object {
  if (auth.user_id) return { id: auth.user_id }
  return { name: auth.username, domain: domainOf(auth.user_domain_id, auth.user_domain_name) }
}

function domainOf(id: string | undefined, name: string | undefined): object {
  return id === undefined ? { name } : { id }
}

/** Keystone's order: project before domain before system; an application credential carries its own scope. */
function scopeOf({ authType, auth }: CloudConfiguration): object | undefined {
  if (authType === 'v3applicationcredential') return undefined
  if (auth.project_id) return { project: { id: auth.project_id } }
  if (auth.project_name) {
    return { project: { name: auth.project_name, domain: domainOf(auth.project_domain_id, auth.project_domain_name) } }
  }
  if (auth.domain_id || auth.domain_name) return { domain: domainOf(auth.domain_id, auth.domain_name) }
  if (auth.system_scope === 'all') return { system: { all: true } }
  if (auth.system_scope) throw usageError(`The system scope '${auth.system_scope}' does not exist: it is 'all'`)
  return undefined
}
