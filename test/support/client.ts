export interface Answer<T> {
  status: number
  body: T
  headers: Headers
}

/** A client of the cloud as small as can be: for suites that look at the wire itself. The real clients are in `compat`. */
export class CloudClient {
  token: string | undefined

  constructor(
    readonly apiUrl: string,
    readonly imageUrl: string,
    /** After it a request is given up; its outcome is then unknown. */
    private readonly timeoutMs = 300_000,
  ) {}

  /** Takes a token for a user of the Default domain on a project of it. */
  async login(user: string, password: string, project: string): Promise<this> {
    const domain = { id: 'default' }
    const auth = {
      identity: { methods: ['password'], password: { user: { name: user, domain, password } } },
      scope: { project: { name: project, domain } },
    }
    const answer = await this.call('POST', `${this.apiUrl}/v3/auth/tokens`, { auth })
    if (answer.status !== 201) throw new Error(`no token for ${user}: ${answer.status} ${JSON.stringify(answer.body)}`)
    this.token = answer.headers.get('x-subject-token')!
    return this
  }

  /** To the api service, in the newest microversion. */
  compute<T = Record<string, never>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return this.call<T>(method, `${this.apiUrl}/v2.1${path}`, body, { 'OpenStack-API-Version': 'compute 2.96', ...headers })
  }

  network<T = Record<string, never>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return this.call<T>(method, `${this.apiUrl}/network/v2.0${path}`, body)
  }

  image<T = Record<string, never>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return this.call<T>(method, `${this.imageUrl}/v2${path}`, body)
  }

  /** Uploads `bytes` as a new public image and returns its id. */
  async uploadImage(name: string, diskFormat: 'raw' | 'qcow2', bytes: Uint8Array): Promise<string> {
    const made = await this.image<{ id: string }>('POST', '/images', {
      name,
      disk_format: diskFormat,
      container_format: 'bare',
      visibility: 'public',
    })
    if (made.status !== 201) throw new Error(`image not created: ${made.status} ${JSON.stringify(made.body)}`)
    const sent = await fetch(`${this.imageUrl}/v2/images/${made.body.id}/file`, {
      method: 'PUT',
      headers: { 'X-Auth-Token': this.token!, 'Content-Type': 'application/octet-stream' },
      body: bytes as Uint8Array<ArrayBuffer>,
    })
    if (sent.status !== 204) throw new Error(`image not uploaded: ${sent.status} ${await sent.text()}`)
    return made.body.id
  }

  async call<T>(method: string, url: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(this.timeoutMs),
      headers: {
        ...(this.token === undefined ? {} : { 'X-Auth-Token': this.token }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: parse(text) as T, headers: response.headers }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
