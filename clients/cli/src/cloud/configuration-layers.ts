import { isMapping, type Mapping } from './clouds-file.js'

/** What one source says: a file, the environment, the command line. */
export interface Layer {
  auth: Record<string, string>
  settings: Record<string, unknown>
}

const authKeys = new Set([
  'auth_url',
  'username',
  'user_id',
  'password',
  'user_domain_id',
  'user_domain_name',
  'project_id',
  'project_name',
  'project_domain_id',
  'project_domain_name',
  'domain_id',
  'domain_name',
  'system_scope',
  'token',
  'application_credential_id',
  'application_credential_name',
  'application_credential_secret',
])

/** Old names that still stand in many files; the first given wins. */
const synonyms: Record<string, string> = {
  tenant_id: 'project_id',
  tenant_name: 'project_name',
  user_name: 'username',
  auth_token: 'token',
  auth_plugin: 'auth_type',
  endpoint_type: 'interface',
}

/** Two ways to say one thing: who says one of them at a higher level does not want the other from a lower level. */
const alternatives = [
  ['username', 'user_id'],
  ['user_domain_name', 'user_domain_id'],
  ['project_domain_name', 'project_domain_id'],
  ['project_name', 'project_id', 'system_scope', 'domain_name', 'domain_id'],
]

/** Sorts one source's settings into auth and the rest. A key at the top level wins over the same key under `auth`. */
export function layerOf(source: Mapping): Layer {
  const { auth: nested, ...top } = normaliseKeys(source)
  const layer: Layer = { auth: {}, settings: {} }
  for (const [key, value] of [...Object.entries(isMapping(nested) ? normaliseKeys(nested) : {}), ...Object.entries(top)]) {
    if (value === undefined || value === null || value === '') continue
    if (authKeys.has(key)) layer.auth[key] = text(value)
    else layer.settings[key] = value
  }
  if (isProjectScoped(layer.auth)) spreadDomain(layer.auth)
  return layer
}

export function normaliseKeys(source: Mapping): Mapping {
  const normal: Mapping = {}
  for (const [key, value] of Object.entries(source)) {
    const plain = key.replaceAll('-', '_')
    const name = synonyms[plain] ?? plain
    if (name === plain || !(name in normal)) normal[name] = value
  }
  return normal
}

/** What a file may hold as a number, a date or a word, as a word. */
export function text(value: unknown): string {
  return value instanceof Date ? value.toISOString().slice(0, 10) : String(value)
}

/** Whatever the higher one says, and what it does not say as the lower one does. */
export function mergeLayers(lower: Layer, higher: Layer): Layer {
  const auth = { ...lower.auth }
  for (const group of alternatives) {
    if (group.some((key) => key in higher.auth)) for (const key of group) delete auth[key]
  }
  return { auth: { ...auth, ...higher.auth }, settings: { ...lower.settings, ...higher.settings } }
}

function isProjectScoped(auth: Record<string, string>): boolean {
  return 'project_id' in auth || 'project_name' in auth
}

/** `domain_id` and `domain_name` beside a project say once what is meant for the user and the project. */
function spreadDomain(auth: Record<string, string>): void {
  for (const kind of ['id', 'name']) {
    const domain = auth[`domain_${kind}`]
    delete auth[`domain_${kind}`]
    if (domain === undefined) continue
    auth[`user_domain_${kind}`] ??= domain
    auth[`project_domain_${kind}`] ??= domain
  }
}

/** As the real client has it: users and projects whose domain nobody named live in the domain with the id 'default'. */
export function domainDefaults({ auth, settings }: Layer): void {
  if (isProjectScoped(auth)) spreadDomain(auth)
  const fallback = text(settings.default_domain ?? settings.default_domain_id ?? 'default')
  if (auth.username && !auth.user_domain_id && !auth.user_domain_name) auth.user_domain_id = fallback
  if (auth.project_name && !auth.project_domain_id && !auth.project_domain_name) auth.project_domain_id = fallback
}
