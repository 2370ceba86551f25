import { waitFor } from '../process/wait.js'

export interface Credentials {
  user: string
  password: string
  project: string
}

export interface Server {
  id: string
  name: string
  status: string
  fault?: { message: string }
}

interface CatalogEntry {
  type: string
  endpoints: { interface: string; url: string }[]
}

/** As little of OpenStack's API as `up` needs, spoken as any client would. */
export class CloudClient {
  private session: { token: string; catalog: CatalogEntry[] } | undefined

  constructor(
    private readonly identityUrl: string,
    private readonly credentials: Credentials,
  ) {}

  async waitForHosts(count: number): Promise<string> {
    const up = async () => {
      const { hypervisors } = await this.ask<{ hypervisors: { state: string }[] }>('compute', 'GET', '/os-hypervisors/detail')
      return hypervisors.filter((each) => each.state === 'up').length >= count
    }
    await waitFor('the hosts do not appear in the cloud', up, { timeoutMs: 60_000, everyMs: 200 })
    return `${count} up`
  }

  async findImage(name: string): Promise<{ id: string; status: string } | undefined> {
    const path = `/v2/images?name=${encodeURIComponent(name)}`
    const { images } = await this.ask<{ images: { id: string; status: string }[] }>('image', 'GET', path)
    return images.find((image) => image.status === 'active') ?? images[0]
  }

  async createImage(name: string): Promise<string> {
    const body = { name, disk_format: 'qcow2', container_format: 'bare', visibility: 'public' }
    return (await this.ask<{ id: string }>('image', 'POST', '/v2/images', body)).id
  }

  async uploadImage(id: string, bytes: Blob): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' }
    await this.request('image', 'PUT', `/v2/images/${id}/file`, { headers, body: bytes })
  }

  /** The flavor with the least memory that has at least this much, and the least disk. */
  async smallestFlavor(ramMiB: number, diskGiB: number): Promise<{ id: string; name: string }> {
    type Flavor = { id: string; name: string; ram: number; disk: number }
    const { flavors } = await this.ask<{ flavors: Flavor[] }>('compute', 'GET', '/flavors/detail')
    const fitting = flavors.filter((flavor) => flavor.ram >= ramMiB && flavor.disk >= diskGiB)
    const [smallest] = fitting.toSorted((one, other) => one.ram - other.ram || one.disk - other.disk)
    if (!smallest) throw new Error(`there is no flavor with ${ramMiB} MiB of memory and ${diskGiB} GiB of disk`)
    return smallest
  }

  async servers(): Promise<Server[]> {
    return (await this.ask<{ servers: Server[] }>('compute', 'GET', '/servers/detail')).servers
  }

  async server(id: string): Promise<Server> {
    return (await this.ask<{ server: Server }>('compute', 'GET', `/servers/${id}`)).server
  }

  /** @param more what else is asked of it: networks, groups, a key. */
  async createServer(name: string, imageId: string, flavorId: string, more: Record<string, unknown>): Promise<string> {
    const server = { name, imageRef: imageId, flavorRef: flavorId, networks: 'none', ...more }
    return (await this.ask<{ server: { id: string } }>('compute', 'POST', '/servers', { server })).server.id
  }

  /** Settles when the server is gone. */
  async deleteServer(id: string): Promise<void> {
    await this.request('compute', 'DELETE', `/servers/${id}`, {})
    const isGone = async () => !(await this.servers()).some((server) => server.id === id)
    await waitFor(`server ${id} is not deleted`, isGone, { timeoutMs: 60_000, everyMs: 200 })
  }

  async consoleOutput(id: string, lines: number): Promise<string> {
    const body = { 'os-getConsoleOutput': { length: lines } }
    return (await this.ask<{ output: string }>('compute', 'POST', `/servers/${id}/action`, body)).output
  }

  /** By an operator's word, which admin's is: from now on this host is believed what it signs with this key. */
  async enrolHost(hostId: string, publicKey: string): Promise<void> {
    await this.ask('compute', 'PUT', `/../nubo/v1/host-keys/${hostId}`, { host_key: { public_key: publicKey } })
  }

  async remove(service: string, path: string): Promise<void> {
    await this.request(service, 'DELETE', path, {})
  }

  /** Speaks JSON with the service of this type in the catalog; `path` is beneath its endpoint. */
  async ask<T>(service: string, method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { 'openstack-api-version': 'compute 2.37' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await this.request(service, method, path, {
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return (await response.json()) as T
  }

  private async request(service: string, method: string, path: string, init: RequestInit): Promise<Response> {
    const { token, catalog } = await this.authenticate()
    const endpoint = catalog.find((entry) => entry.type === service)?.endpoints.find((each) => each.interface === 'public')
    if (!endpoint) throw new Error(`the catalog has no ${service} service`)
    const headers = { ...(init.headers as Record<string, string>), 'x-auth-token': token }
    const response = await fetch(`${endpoint.url.replace(/\/$/, '')}${path}`, { ...init, method, headers })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${(await response.text()).slice(0, 300)}`)
    return response
  }

  private async authenticate() {
    if (this.session) return this.session
    const { user, password, project } = this.credentials
    const domain = { name: 'Default' }
    const identity = { methods: ['password'], password: { user: { name: user, password, domain } } }
    const response = await fetch(`${this.identityUrl}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity, scope: { project: { name: project, domain } } } }),
    })
    const token = response.headers.get('x-subject-token')
    if (!response.ok || !token)
      throw new Error(`no token for ${user}: ${response.status} ${(await response.text()).slice(0, 300)}`)
    const { token: body } = (await response.json()) as { token: { catalog: CatalogEntry[] } }
    this.session = { token, catalog: body.catalog }
    return this.session
  }
}
