import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Recorded {
  method: string
  /** Path with its query. */
  path: string
  headers: http.IncomingHttpHeaders
  body: string
  json(): any
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON, text and bytes as they are. */
  body?: unknown
  /** Break the connection after the body. */
  breakOff?: boolean
}

type Handler = (request: Recorded, match: RegExpExecArray) => Answer | Promise<Answer> | 'hang up'

export interface FakeServer {
  id: string
  name: string
  status: string
  /** What the next looks at it show, one after another; the last stays. null is gone. */
  next: (Record<string, unknown> | null)[]
  [key: string]: unknown
}

export interface FakeCloudOptions {
  /** undefined: a Nova from before microversions. */
  computeMaximum?: string | undefined
  /** What stands behind /compute in the catalog. */
  computePath?: string
  imagePath?: string
  /** How many servers or images a page holds. */
  pageSize?: number
  /** Whether the catalog has a network service; what it answers is added by `on`. */
  network?: boolean
  /** Whether there is a /nubo/v1. */
  nubo?: boolean
  regions?: string[]
}

export const password = 'correct horse'
export const projectId = 'a4f1c0ffee0000000000000000000001'

/**
 * A cloud of plain Node, whose answers are shaped as the published API references have them: Keystone v3, Nova up to 2.96,
 * Glance v2. It remembers every request. `on` puts another answer in the place of its own.
 */
export class FakeCloud {
  readonly requests: Recorded[] = []
  readonly servers: FakeServer[] = []
  readonly images: Record<string, unknown>[] = []
  readonly imageData = new Map<string, Buffer>()
  readonly flavors = [flavor('1', 'tiny', 1, 128), flavor('2', 'small', 2, 512)]
  readonly keypairs: Record<string, string>[] = []
  /** The tokens that are good now. */
  readonly tokens = new Set<string>()
  private readonly overrides: { method: string; path: RegExp; handler: Handler }[] = []
  private readonly routes: { method: string; path: RegExp; handler: Handler }[] = []
  private readonly http = http.createServer((request, response) => void this.serve(request, response))
  url = ''

  private constructor(readonly options: FakeCloudOptions) {
    this.identityRoutes()
    this.computeRoutes()
    this.imageRoutes()
  }

  static async start(options: FakeCloudOptions = {}): Promise<FakeCloud> {
    const cloud = new FakeCloud({ computeMaximum: '2.96', computePath: '/v2.1', imagePath: '', ...options })
    await new Promise<void>((resolve) => cloud.http.listen(0, '127.0.0.1', resolve))
    cloud.url = `http://127.0.0.1:${(cloud.http.address() as AddressInfo).port}`
    return cloud
  }

  async stop(): Promise<void> {
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }

  /** The environment that leads here. */
  environment(): Record<string, string> {
    return {
      OS_AUTH_URL: `${this.url}/identity`,
      OS_USERNAME: 'demo',
      OS_PASSWORD: password,
      OS_PROJECT_NAME: 'demo',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
    }
  }

  on(method: string, path: RegExp, handler: Handler): void {
    this.overrides.unshift({ method, path, handler })
  }

  /** Requests of one kind that came so far. */
  sent(method: string, path: RegExp): Recorded[] {
    return this.requests.filter((request) => request.method === method && path.test(request.path))
  }

  addServer(server: Partial<FakeServer> = {}): FakeServer {
    const made = { id: randomUUID(), name: 'web', status: 'ACTIVE', next: [], ...server }
    this.servers.push(made)
    return made
  }

  addImage(image: Record<string, unknown> = {}, data = Buffer.from('image data')): Record<string, unknown> {
    const made = imageRecord({ status: 'active', size: data.length, ...image })
    this.images.push(made)
    this.imageData.set(String(made.id), data)
    return made
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const entry = [...this.overrides, ...this.routes].find(
      ({ method, path: pattern }) => method === request.method && pattern.test(path),
    )
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return
    }
    const body = Buffer.concat(chunks).toString('latin1')
    const recorded: Recorded = {
      method: request.method!,
      path,
      headers: request.headers,
      body,
      json: () => JSON.parse(Buffer.concat(chunks).toString('utf8')),
    }
    this.requests.push(recorded)
    const answer = await this.answer(recorded, entry)
    if (answer === 'hang up') return void request.socket.destroy()
    const bytes =
      answer.body === undefined
        ? ''
        : typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
          ? answer.body
          : JSON.stringify(answer.body)
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      'x-openstack-request-id': 'req-11111111-2222-3333-4444-555555555555',
      ...answer.headers,
    })
    if (answer.breakOff) response.write(bytes, () => request.socket.destroy())
    else response.end(bytes)
  }

  private answer(request: Recorded, entry: { path: RegExp; handler: Handler } | undefined): Answer | Promise<Answer> | 'hang up' {
    const open =
      request.path.startsWith('/identity') ||
      /^\/(compute|image)\/?$/.test(request.path) ||
      /^\/compute\/v2(\.1)?\/$/.test(request.path)
    if (!open && !this.tokens.has(String(request.headers['x-auth-token']))) {
      return {
        status: 401,
        body: { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
      }
    }
    if (!entry) return { status: 404, body: { itemNotFound: { code: 404, message: 'The resource could not be found.' } } }
    return entry.handler(request, entry.path.exec(request.path)!)
  }

  private route(method: string, path: RegExp, handler: Handler): void {
    this.routes.push({ method, path, handler })
  }

  private identityRoutes(): void {
    const version = {
      id: 'v3.14',
      status: 'stable',
      updated: '2020-04-07T00:00:00Z',
      links: [{ rel: 'self', href: 'http://internal.example/identity/v3/' }],
    }
    this.route('GET', /^\/identity\/?$/, () => ({ status: 300, body: { versions: { values: [version] } } }))
    this.route('GET', /^\/identity\/v3\/?$/, () => ({ body: { version } }))
    this.route('POST', /^\/identity\/v3\/auth\/tokens$/, (request) => this.issueToken(request))
    this.route('GET', /^\/identity\/v3\/projects\?name=(.*)$/, (_request, [, name]) => ({
      body: { projects: name === 'other' ? [{ id: 'b'.repeat(32), name }] : [], links: { next: null } },
    }))
  }

  private issueToken(request: Recorded): Answer {
    const { identity } = request.json().auth
    const secret = identity.password?.user.password ?? identity.token?.id ?? identity.application_credential?.secret
    if (secret !== password && !this.tokens.has(secret)) {
      return {
        status: 401,
        body: { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } },
      }
    }
    const token = `gAAAAA-${randomUUID()}`
    this.tokens.add(token)
    const endpoints = (path: string) =>
      (this.options.regions ?? ['RegionOne']).flatMap((region) =>
        ['public', 'internal', 'admin'].map((face) => ({
          id: randomUUID(),
          interface: face,
          region,
          region_id: region,
          url: this.url + path,
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
            { id: '2', type: 'compute', name: 'nova', endpoints: endpoints(`/compute${this.options.computePath}`) },
            { id: '3', type: 'image', name: 'glance', endpoints: endpoints(`/image${this.options.imagePath}`) },
            ...(this.options.network ? [{ id: '4', type: 'network', name: 'neutron', endpoints: endpoints('/network') }] : []),
          ],
        },
      },
    }
  }

  private computeRoutes(): void {
    const { computeMaximum: maximum, nubo } = this.options
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
    this.route('GET', /^\/compute\/?$/, () => ({ status: 300, body: { versions: [version] } }))
    this.route('GET', /^\/compute\/v2(\.1)?\/$/, () => ({ body: { version } }))
    this.route('GET', at('/servers/detail'), (request, match) =>
      this.serverPage(request, new URLSearchParams(match.groups!.query)),
    )
    this.route('GET', at('/servers/(?<id>[^/?]+)'), (_request, match) => this.showServer(match.groups!.id!))
    this.route('POST', at('/servers'), (request) => this.createServer(request))
    this.route('DELETE', at('/servers/(?<id>[^/?]+)'), () => ({ status: 204 }))
    this.route('PUT', at('/servers/(?<id>[^/?]+)'), (request, match) => {
      Object.assign(
        this.servers.find(({ id }) => id === match.groups!.id)!,
        request.json().server,
      )
      return this.showServer(match.groups!.id!)
    })
    this.route('POST', at('/servers/(?<id>[^/?]+)/metadata'), (request) => ({ body: request.json() }))
    this.route('DELETE', at('/servers/(?<id>[^/?]+)/metadata/[^/]+'), () => ({ status: 204 }))
    this.route('POST', at('/servers/(?<id>[^/?]+)/action'), (request) =>
      'os-getConsoleOutput' in request.json() ? { body: { output: 'Booting\nlogin: ' } } : { status: 202 },
    )
    this.route('GET', at('/flavors/detail'), () => ({ body: { flavors: this.flavors } }))
    this.route('GET', at('/os-keypairs'), () => ({ body: { keypairs: this.keypairs.map((keypair) => ({ keypair })) } }))
    this.route('POST', at('/os-keypairs'), (request) => {
      const keypair = { ...request.json().keypair, fingerprint: 'aa:bb', user_id: 'u1' }
      this.keypairs.push(keypair)
      return { status: 201, body: { keypair } }
    })
    if (nubo)
      this.route('GET', /^\/compute\/nubo\/v1$/, () => ({
        body: { version: { id: 'v1', idempotency_keys: { header: 'Idempotency-Key', kept_hours: 24 } } },
      }))
  }

  /** One page, with a link to the next whose host and path nobody can reach, as behind many a proxy. */
  private serverPage(request: Recorded, query: URLSearchParams): Answer {
    const name = query.get('name')
    const reservation = query.get('reservation_id')
    const matching = this.servers.filter(
      (server) =>
        (name === null || new RegExp(name).test(server.name)) && (reservation === null || server.reservation === reservation),
    )
    const { page, next } = this.page(matching, query)
    const link = next && `http://internal.example:8774/v2.1/servers/detail?${next}`
    return {
      body: {
        servers: page.map((server) => serverRecord(server)),
        ...(link && { servers_links: [{ rel: 'next', href: link }] }),
      },
    }
  }

  private page<Item extends { id?: unknown }>(items: Item[], query: URLSearchParams): { page: Item[]; next: string | undefined } {
    const start = items.findIndex(({ id }) => id === query.get('marker')) + 1
    const size = Math.min(this.options.pageSize ?? 1000, Number(query.get('limit') ?? 1000))
    const page = items.slice(start, start + size)
    if (start + size >= items.length) return { page, next: undefined }
    const next = new URLSearchParams(query)
    next.set('marker', String(page.at(-1)!.id))
    return { page, next: next.toString() }
  }

  private showServer(id: string): Answer {
    const server = this.servers.find((candidate) => candidate.id === id)
    const state = server && server.next.length > 1 ? server.next.shift() : server?.next[0]
    if (!server || state === null)
      return { status: 404, body: { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } } }
    return { body: { server: serverRecord({ ...server, ...state }) } }
  }

  private createServer(request: Recorded): Answer {
    const { server } = request.json()
    if (!server.return_reservation_id) {
      const made = this.addServer({
        name: server.name,
        status: 'BUILD',
        next: [{ status: 'BUILD', 'OS-EXT-STS:task_state': 'spawning' }, { status: 'ACTIVE' }],
      })
      return { status: 202, body: { server: { id: made.id, links: [], adminPass: 'made-up-by-nova' } } }
    }
    for (let number = 1; number <= server.max_count; number += 1) {
      this.addServer({
        name: `${server.name}-${number}`,
        reservation: 'r-abc',
        status: 'BUILD',
        next: [{ status: 'BUILD' }, { status: 'ACTIVE' }],
      })
    }
    return { status: 202, body: { reservation_id: 'r-abc' } }
  }

  private imageRoutes(): void {
    this.route('GET', /^\/image\/v2\/images(?:\?(?<query>.*))?$/, (_request, match) => {
      const query = new URLSearchParams(match.groups!.query)
      const { page, next } = this.page(
        this.images.filter((image) => !query.has('name') || image.name === query.get('name')),
        query,
      )
      return {
        body: { images: page, first: '/v2/images', schema: '/v2/schemas/images', ...(next && { next: `/v2/images?${next}` }) },
      }
    })
    const one = String.raw`^/image/v2/images/(?<id>[^/?]+)`
    this.route('GET', new RegExp(`${one}$`), (_request, match) => this.withImage(match.groups!.id!, (image) => ({ body: image })))
    this.route('GET', new RegExp(`${one}/file$`), (_request, match) =>
      this.withImage(match.groups!.id!, (image) => ({
        headers: { 'content-type': 'application/octet-stream' },
        body: this.imageData.get(String(image.id)),
      })),
    )
    this.route('POST', /^\/image\/v2\/images$/, (request) => {
      const image = imageRecord({ status: 'queued', ...request.json() })
      this.images.push(image)
      return { status: 201, body: image }
    })
    this.route('PUT', new RegExp(`${one}/file$`), (request, match) =>
      this.withImage(match.groups!.id!, (image) => {
        this.imageData.set(String(image.id), Buffer.from(request.body, 'latin1'))
        Object.assign(image, { status: 'active', size: request.body.length })
        return { status: 204 }
      }),
    )
    this.route('PATCH', new RegExp(`${one}$`), (request, match) =>
      this.withImage(match.groups!.id!, (image) => {
        for (const { op, path, value } of request.json()) {
          if (op === 'remove') delete image[path.slice(1)]
          else image[path.slice(1)] = value
        }
        return { body: image }
      }),
    )
    this.route('DELETE', new RegExp(`${one}$`), (_request, match) =>
      this.withImage(match.groups!.id!, (image) => {
        this.images.splice(this.images.indexOf(image), 1)
        return { status: 204 }
      }),
    )
  }

  private withImage(id: string, deed: (image: Record<string, unknown>) => Answer): Answer {
    const image = this.images.find((candidate) => candidate.id === id)
    if (image) return deed(image)
    const html = `<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found with ID ${id}<br /><br />\n\n\n </body>\n</html>`
    return { status: 404, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: html }
  }
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

function imageRecord(image: Record<string, unknown>): Record<string, unknown> {
  return {
    id: randomUUID(),
    name: 'debian',
    visibility: 'shared',
    disk_format: 'qcow2',
    container_format: 'bare',
    size: null,
    min_disk: 0,
    min_ram: 0,
    protected: false,
    owner: projectId,
    tags: [],
    created_at: '2026-11-23T12:00:00Z',
    updated_at: '2026-11-23T12:00:00Z',
    self: '/v2/images/x',
    file: '/v2/images/x/file',
    schema: '/v2/schemas/image',
    ...image,
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
