import { randomUUID } from 'node:crypto'
import { addFakeCompute, flavors } from './fake-compute.js'
import { addFakeIdentity, password, unauthorized } from './fake-identity.js'
import { addFakeImages, imageRecord } from './fake-images.js'
import { RecordingServer, type Answer, type Recorded } from './recording-server.js'

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

/**
 * A cloud of plain Node, whose answers are shaped as the published API references have them: Keystone v3, Nova up to 2.96,
 * Glance v2. `on` puts another answer in the place of its own.
 */
export class FakeCloud extends RecordingServer {
  readonly servers: FakeServer[] = []
  readonly images: Record<string, unknown>[] = []
  readonly imageData = new Map<string, Buffer>()
  readonly flavors = structuredClone(flavors)
  readonly keypairs: Record<string, string>[] = []
  /** The tokens that are good now. */
  readonly tokens = new Set<string>()

  private constructor(readonly options: FakeCloudOptions) {
    super()
    addFakeIdentity(this)
    addFakeCompute(this)
    addFakeImages(this)
  }

  static async start(options: FakeCloudOptions = {}): Promise<FakeCloud> {
    const cloud = new FakeCloud({ computeMaximum: '2.96', computePath: '/v2.1', imagePath: '', ...options })
    await cloud.listen()
    return cloud
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

  /** Only the versions and identity are there for everyone. */
  protected override refuse({ path, headers }: Recorded): Answer | undefined {
    const open = path.startsWith('/identity') || /^\/(compute|image)\/?$/.test(path) || /^\/compute\/v2(\.1)?\/$/.test(path)
    return open || this.tokens.has(String(headers['x-auth-token'])) ? undefined : unauthorized
  }
}
