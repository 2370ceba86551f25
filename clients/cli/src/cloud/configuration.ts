import { usageError } from '../exit.js'
import type { World } from '../world.js'
import { expandHome, isMapping, readCloudsFiles, type CloudsFiles, type Mapping, type Surroundings } from './clouds-file.js'
import { domainDefaults, layerOf, mergeLayers, normaliseKeys, text, type Layer } from './configuration-layers.js'

/** How to reach and enter one cloud: everything that files, environment and command line said, by precedence. */
export interface CloudConfiguration {
  /** The name in clouds.yaml, or 'envvars'. */
  cloudName: string
  /** Where it was read from, lowest precedence first. */
  sources: string[]
  warnings: string[]
  authType: AuthType
  /** OpenStack's own names: auth_url, username, password, project_name, user_domain_id ... */
  auth: Readonly<Record<string, string>>
  regionName: string | undefined
  interface: 'public' | 'internal' | 'admin'
  certificateAuthorityFile: string | undefined
  clientCertificateFile: string | undefined
  clientKeyFile: string | undefined
  verify: boolean
  silenceTimeoutMs: number
  /** By service type: an address that takes the catalog's place. */
  endpointOverrides: Readonly<Record<string, string>>
  /** A compute microversion to use instead of the newest that both sides know. */
  computeMicroversion: string | undefined
}

export type AuthType = 'password' | 'token' | 'v3applicationcredential'

/** What the command line may set, in OpenStack's names. Passwords and tokens are not among them: `ps` shows command lines. */
export type Flags = Partial<Record<string, string>>

/** Variables that choose a cloud or tune the client, and do not by themselves describe a cloud. */
const environmentIgnored = /^OS_(TEST|STD|LOG|CLOUD$|CLOUD_NAME$|CLIENT_CONFIG_FILE$|CLIENT_SECURE_FILE$)/

/**
 * Puts the configuration together as the real client does: command line over OS_* variables over clouds.yaml. The cloud
 * is the one that `--os-cloud` or OS_CLOUD names; else the one that OS_* variables describe; else the only one in the file.
 */
export function loadConfiguration(world: Surroundings, flags: Flags): CloudConfiguration {
  const files = readCloudsFiles(world)
  const { cloud, ...flagSettings } = flags
  const environment = environmentLayer(world.environment)
  const name = chooseCloud(cloud, world.environment, files, environment)
  const layers = [
    ...fileLayers(
      name,
      files,
      typeof flagSettings.region_name === 'string' ? flagSettings.region_name : environment.settings.region_name,
    ),
    environment,
    layerOf(flagSettings as Mapping),
  ]
  const merged = layers.reduce(mergeLayers)
  domainDefaults(merged)
  return finish(name, merged, files, world)
}

function chooseCloud(
  flag: string | undefined,
  environment: World['environment'],
  files: CloudsFiles,
  environmentSays: Layer,
): string {
  const environmentName = environment.OS_CLOUD_NAME || 'envvars'
  const named = flag || environment.OS_CLOUD
  const known = Object.keys(files.clouds)
  if (named && named !== environmentName && !known.includes(named)) {
    const where = files.path ? `${files.path} has ${known.length === 0 ? 'none' : known.join(', ')}` : 'there is no clouds.yaml'
    throw usageError(`The cloud '${named}' was not found: ${where}`)
  }
  if (named) return named
  if (Object.keys(environmentSays.auth).length > 0) return environmentName
  if (known.length === 1) return known[0]!
  if (known.length > 1)
    throw usageError(`${files.path} has several clouds: choose one with --os-cloud or OS_CLOUD (${known.join(', ')})`)
  throw usageError('No cloud is configured: write a clouds.yaml, or set OS_AUTH_URL and the other OS_* variables')
}

function environmentLayer(environment: World['environment']): Layer {
  const given: Mapping = {}
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('OS_') && value && !environmentIgnored.test(name)) given[name.slice(3).toLowerCase()] = value
  }
  return layerOf(given)
}

function fileLayers(name: string, files: CloudsFiles, regionName: unknown): Layer[] {
  const cloud = files.clouds[name]
  if (!cloud) return [layerOf({})]
  const normal = normaliseKeys(cloud)
  const profileName = normal.profile ?? normal.cloud
  const profile = typeof profileName === 'string' ? files.profiles[profileName] : undefined
  const region = chooseRegion(name, normal, typeof regionName === 'string' ? regionName : undefined)
  const { regions: _regions, region_name: _regionName, ...rest } = normal
  return [layerOf(profile ?? {}), layerOf(rest), layerOf({ ...region.values, ...(region.name && { region_name: region.name }) })]
}

interface Region {
  name: string | undefined
  values: Mapping
}

function chooseRegion(cloudName: string, cloud: Mapping, wanted: string | undefined): Region {
  const listed = cloud.regions ?? cloud.region_name
  const entries = Array.isArray(listed) ? listed : typeof listed === 'string' ? listed.split(',') : []
  const regions = entries.map((entry): Region =>
    isMapping(entry)
      ? { name: text(entry.name), values: isMapping(entry.values) ? entry.values : {} }
      : { name: text(entry), values: {} },
  )
  if (regions.length === 0) return { name: wanted, values: {} }
  if (wanted === undefined) return regions[0]!
  const found = regions.find((region) => region.name === wanted)
  if (found) return found
  throw usageError(
    `The cloud '${cloudName}' has no region '${wanted}': it has ${regions.map((region) => region.name).join(', ')}`,
  )
}

function finish(
  cloudName: string,
  { auth, settings }: Layer,
  files: CloudsFiles,
  world: Pick<World, 'environment' | 'homeDirectory'>,
): CloudConfiguration {
  const path = (key: string) => (settings[key] === undefined ? undefined : expandHome(text(settings[key]), world.homeDirectory))
  const insecure = isTrue(settings.insecure, false)
  const inFile = files.clouds[cloudName] !== undefined
  if (auth.auth_url) auth.auth_url = fillIn(auth.auth_url, { ...settings, ...auth })
  return {
    cloudName,
    sources: [...(inFile && files.path ? [files.path] : []), ...environmentNames(world.environment)],
    warnings: files.warnings,
    authType: authTypeOf(settings.auth_type, auth),
    auth,
    regionName: settings.region_name === undefined ? undefined : text(settings.region_name),
    interface: interfaceOf(settings.interface),
    certificateAuthorityFile: path('cacert'),
    clientCertificateFile: path('cert'),
    clientKeyFile: path('key'),
    verify: !insecure && isTrue(settings.verify, true),
    silenceTimeoutMs: secondsOf(settings.api_timeout, 60) * 1000,
    endpointOverrides: endpointOverrides(settings),
    computeMicroversion: microversionOf(settings.compute_api_version ?? settings.compute_default_microversion),
  }
}

function environmentNames(environment: World['environment']): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('OS_') && environment[name] && !environmentIgnored.test(name))
    .sort()
}

const authTypes: Record<string, AuthType> = {
  password: 'password',
  v3password: 'password',
  token: 'token',
  v3token: 'token',
  v3applicationcredential: 'v3applicationcredential',
}

function authTypeOf(given: unknown, auth: Record<string, string>): AuthType {
  if (given !== undefined) {
    const known = authTypes[text(given)]
    if (known) return known
    throw usageError(`The auth type '${text(given)}' is not supported: ${Object.keys(authTypes).join(', ')} are`)
  }
  if (auth.username || auth.user_id) return 'password'
  if (auth.token) return 'token'
  return auth.application_credential_secret ? 'v3applicationcredential' : 'password'
}

/** 'public' and 'publicURL' are the same; of a list the first counts. */
function interfaceOf(given: unknown): CloudConfiguration['interface'] {
  const first = text(Array.isArray(given) ? given[0] : (given ?? 'public')).replace(/URL$/, '')
  if (first === 'public' || first === 'internal' || first === 'admin') return first
  throw usageError(`The interface '${first}' is not one of public, internal, admin`)
}

function isTrue(value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise
  return typeof value === 'boolean' ? value : /^(true|yes|on|1)$/i.test(text(value))
}

function secondsOf(value: unknown, otherwise: number): number {
  const seconds = Number(value ?? otherwise)
  if (!Number.isFinite(seconds) || seconds <= 0) throw usageError(`api_timeout must be a number of seconds, not '${text(value)}'`)
  return seconds
}

function endpointOverrides(settings: Record<string, unknown>): Record<string, string> {
  const suffix = '_endpoint_override'
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([key]) => key.endsWith(suffix))
      .map(([key, value]) => [key.slice(0, -suffix.length).replaceAll('_', '-'), text(value)]),
  )
}

/** '2' in many files means the API, not a microversion: it leaves the choice open. */
function microversionOf(given: unknown): string | undefined {
  if (given === undefined || text(given) === '2' || text(given) === 'latest' || text(given) === '2.latest') return undefined
  if (/^2\.\d+$/.test(text(given))) return text(given)
  throw usageError(`The compute API version '${text(given)}' is not of the form 2.N`)
}

/** `https://{region_name}.example.com`: openstacksdk fills settings into the address. */
function fillIn(template: string, values: Record<string, unknown>): string {
  return template.replace(/\{([a-z_]+)\}/g, (whole, key: string) => (values[key] === undefined ? whole : text(values[key])))
}
