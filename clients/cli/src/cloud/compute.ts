import { CommandError, exitCode, usageError } from '../exit.js'
import { fetchAll, withQuery } from './pages.js'
import { readJson, type Session } from './session.js'
import type { HttpResponse } from './transport.js'
import {
  compareMicroversions,
  formatMicroversion,
  parseMicroversion,
  parseVersionDocument,
  reachableAddress,
  type ApiVersion,
  type Microversion,
} from './versions.js'

/** The newest compute API that this program has learned to read. A newer cloud is asked to speak this one. */
const newestKnown: Microversion = { major: 2, minor: 96 }

/** The compute API as one cloud offers it. */
export interface ComputeApi {
  /** Versioned address: https://host/compute/v2.1 */
  url: string
  /** What requests are made with; undefined for a cloud from before microversions. */
  microversion: Microversion | undefined
  minimum: Microversion | undefined
  maximum: Microversion | undefined
}

export interface ComputeRequest {
  query?: Record<string, string | number | undefined>
  json?: unknown
  headers?: Record<string, string>
  /** Ask as if this were the newest microversion: for answers that later ones dropped. */
  notAfter?: string
  signal?: AbortSignal | undefined
}

/** Requests to the compute service (https://docs.openstack.org/api-ref/compute) at a negotiated microversion. */
export class Compute {
  private discovered: Promise<ComputeApi> | undefined

  constructor(readonly session: Session) {}

  api(): Promise<ComputeApi> {
    return (this.discovered ??= this.discover())
  }

  /** Whether the microversion in use has what came with `version` ('2.37'). */
  async supports(version: string): Promise<boolean> {
    const { microversion } = await this.api()
    return microversion !== undefined && compareMicroversions(microversion, parseMicroversion(version)!) >= 0
  }

  /** Throws unless the microversion in use has what came with `version`. */
  async need(version: string, what: string): Promise<void> {
    if (await this.supports(version)) return
    const { microversion } = await this.api()
    const has = microversion ? formatMicroversion(microversion) : '2.0'
    throw new CommandError(exitCode.usage, `${what} needs compute API ${version}; ${has} is in use with this cloud`)
  }

  async get<Body>(path: string, doing: string, request: ComputeRequest = {}): Promise<Body> {
    const { url } = await this.api()
    return readJson<Body>(await this.send('GET', path, doing, request), url + path)
  }

  async list<Item>(
    path: string,
    key: string,
    doing: string,
    request: ComputeRequest & { limit?: number | undefined } = {},
  ): Promise<Item[]> {
    const { url } = await this.api()
    return fetchAll<Item>(this.session, {
      url: withQuery(url + path, request.query ?? {}),
      headers: await this.headers(request),
      key,
      limit: request.limit,
      doing,
    })
  }

  async post<Body>(path: string, doing: string, request: ComputeRequest): Promise<Body> {
    const { url } = await this.api()
    return readJson<Body>(await this.send('POST', path, doing, request), url + path)
  }

  /** A change whose answer says no more than that it was taken. */
  async change(method: 'POST' | 'PUT' | 'DELETE', path: string, doing: string, request: ComputeRequest = {}): Promise<void> {
    const response = await this.send(method, path, doing, request)
    response.bytes.resume()
  }

  private async send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    doing: string,
    request: ComputeRequest = {},
  ): Promise<HttpResponse> {
    const { url } = await this.api()
    return this.session.request(
      {
        method,
        url: withQuery(url + path, request.query ?? {}),
        headers: { ...(await this.headers(request)), ...request.headers },
        json: request.json,
        signal: request.signal,
      },
      doing,
    )
  }

  /** Both headers: the first is everybody's since 2.27, the second Nova's own before that. */
  private async headers({ notAfter }: ComputeRequest): Promise<Record<string, string>> {
    const { microversion } = await this.api()
    if (!microversion) return {}
    const limit = notAfter === undefined ? microversion : parseMicroversion(notAfter)!
    const used = formatMicroversion(compareMicroversions(limit, microversion) < 0 ? limit : microversion)
    return { 'openstack-api-version': `compute ${used}`, 'x-openstack-nova-api-version': used }
  }

  private async discover(): Promise<ComputeApi> {
    const endpoint = await this.session.endpoint('compute')
    const response = await this.session.send({ method: 'GET', url: versionedRoot(endpoint) })
    const version = bestVersion(parseVersionDocument(await response.text()))
    const asked = parseMicroversion(this.session.configuration.computeMicroversion)
    return { url: addressOf(endpoint, version), ...negotiate(version, asked) }
  }
}

/** Some catalogs put the project id behind the version: the version document stands before it. */
function versionedRoot(endpoint: string): string {
  return `${endpoint.replace(/(\/v2(\.\d+)?)\/[^/]+$/, '$1')}/`
}

function bestVersion(versions: ApiVersion[]): ApiVersion | undefined {
  return versions.find((version) => version.id === 'v2.1') ?? versions.find((version) => version.id.startsWith('v2'))
}

/** The catalog's address stands as it is if it names a version; an unversioned one is completed by what was discovered. */
function addressOf(endpoint: string, version: ApiVersion | undefined): string {
  if (/\/v2(\.\d+)?(\/|$)/.test(endpoint)) return endpoint
  return version?.href ? reachableAddress(endpoint, version.href) : `${endpoint}/v2.1`
}

function negotiate(version: ApiVersion | undefined, asked: Microversion | undefined): Omit<ComputeApi, 'url'> {
  const { minimum, maximum } = version ?? {}
  if (!minimum || !maximum) {
    if (asked && asked.minor > 1)
      throw usageError(`This cloud's compute API has no microversions: ${formatMicroversion(asked)} cannot be had`)
    return { microversion: undefined, minimum: undefined, maximum: undefined }
  }
  const range = `${formatMicroversion(minimum)} to ${formatMicroversion(maximum)}`
  if (asked && (compareMicroversions(asked, minimum) < 0 || compareMicroversions(asked, maximum) > 0)) {
    throw usageError(`This cloud's compute API goes from ${range}: ${formatMicroversion(asked)} is not among them`)
  }
  if (compareMicroversions(newestKnown, minimum) < 0) {
    throw new CommandError(exitCode.cloudError, `This cloud's compute API (${range}) is too new for this program`)
  }
  const newest = compareMicroversions(newestKnown, maximum) < 0 ? newestKnown : maximum
  return { microversion: asked ?? newest, minimum, maximum }
}
