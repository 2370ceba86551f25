import { CommandError, exitCode } from '../exit.js'
import { authenticate, type Authorization } from './authentication.js'
import type { CloudConfiguration } from './configuration.js'
import { refusal } from './errors.js'
import { Repeater, type RepeaterOptions } from './repeater.js'
import type { HttpRequest, HttpResponse, Transport } from './transport.js'
import { nuboRoot, trimSlashes } from './versions.js'

export type ServiceType = 'compute' | 'image' | 'network' | 'identity'

export interface ServiceRequest {
  method: HttpRequest['method']
  url: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, under the content type in `headers`. */
  bytes?: Exclude<HttpRequest['body'], string | undefined>
  signal?: AbortSignal | undefined
}

/** One person's dealings with one cloud: a token, fetched when first needed and again when it has run out, and the catalog. */
export class Session {
  private authorization: Promise<Authorization> | undefined
  private readonly repeater: Repeater

  constructor(
    readonly configuration: CloudConfiguration,
    private readonly transport: Transport,
    private readonly askPassword: (question: string) => Promise<string | undefined>,
    repeating: Omit<RepeaterOptions, 'honoursKeys'>,
  ) {
    this.repeater = new Repeater({ ...repeating, honoursKeys: () => this.honoursKeys() })
  }

  authorize(): Promise<Authorization> {
    return (this.authorization ??= authenticate(this.transport, this.configuration, this.askPassword))
  }

  /** The project that the token is for; throws where it is for none. */
  async projectId(): Promise<string> {
    const { project } = await this.authorize()
    if (project) return project.id
    throw new CommandError(exitCode.usage, 'The token is for no project: set OS_PROJECT_NAME, or project_name in clouds.yaml')
  }

  /** The catalog's address of a service in the configured region and interface, without a slash at the end. */
  async endpoint(type: ServiceType): Promise<string> {
    const address = await this.findEndpoint(type)
    if (address !== undefined) return address
    const { regionName, interface: wanted } = this.configuration
    const place = regionName === undefined ? '' : ` in the region '${regionName}'`
    throw new CommandError(exitCode.cloudError, `This cloud has no ${type} service with a ${wanted} address${place}`)
  }

  async findEndpoint(type: ServiceType): Promise<string | undefined> {
    const override = this.configuration.endpointOverrides[type]
    if (override) return trimSlashes(override)
    const { catalog, identityUrl } = await this.authorize()
    if (type === 'identity') return identityUrl
    const { regionName, interface: wanted } = this.configuration
    for (const service of catalog) {
      if (service.type !== type) continue
      const found = service.endpoints.find(
        (endpoint) => endpoint.interface === wanted && (regionName === undefined || endpoint.region === regionName),
      )
      if (found) return trimSlashes(found.url)
    }
    return undefined
  }

  /** Sends a request with the token and resolves with any answer but 401, after which a new token was tried once. */
  async send(request: ServiceRequest): Promise<HttpResponse> {
    if (request.method !== 'POST') return this.sendOnce(request)
    return this.repeater.send((headers) => this.sendOnce({ ...request, headers: { ...request.headers, ...headers } }))
  }

  private async sendOnce(request: ServiceRequest): Promise<HttpResponse> {
    const response = await this.sendWithToken(request)
    if (response.status !== 401 || request.bytes) return response
    response.bytes.resume()
    this.authorization = undefined
    return this.sendWithToken(request)
  }

  /** As `send`, but throws the cloud's refusal. `doing` names the deed where the cloud gives no reason. */
  async request(request: ServiceRequest, doing: string): Promise<HttpResponse> {
    const response = await this.send(request)
    if (response.status >= 300) throw await refusal(response, doing)
    return response
  }

  private async honoursKeys(): Promise<boolean> {
    const url = nuboRoot(await this.endpoint('compute'))
    const response = await this.sendWithToken({ method: 'GET', url })
    const { version } = response.status === 200 ? await readJson<NuboVersion>(response, url) : { version: undefined }
    response.bytes.resume()
    return version?.idempotency_keys !== undefined
  }

  private async sendWithToken(request: ServiceRequest): Promise<HttpResponse> {
    const { token } = await this.authorize()
    return this.transport.send({
      method: request.method,
      url: request.url,
      headers: {
        accept: 'application/json',
        'user-agent': 'nubo',
        'x-auth-token': token,
        ...(request.json !== undefined && { 'content-type': 'application/json' }),
        ...request.headers,
      },
      body: request.json === undefined ? request.bytes : JSON.stringify(request.json),
      signal: request.signal,
    })
  }
}

interface NuboVersion {
  version?: { idempotency_keys?: unknown }
}

/** The body of a successful answer, which must be JSON: a proxy's error page with status 200 is not the cloud. */
export async function readJson<Body>(response: HttpResponse, url: string): Promise<Body> {
  const text = await response.text()
  try {
    return JSON.parse(text) as Body
  } catch (cause) {
    throw new CommandError(exitCode.cloudError, `${url} did not answer with JSON: is this address an OpenStack service?`, {
      cause,
    })
  }
}
