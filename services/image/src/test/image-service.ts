import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { generateTokenKeys, ImageCredentialSigner, TokenSigner } from '@nubo/auth'
import { Database } from '@nubo/database'
import { createMigrated } from '@nubo/database/testing'
import { startPostgres, type DatabaseAddress, type PrivatePostgres } from '@nubo/deploy'
import { systemClock, type DomainId, type HostId, type ImageId, type ProjectId, type UserId } from '@nubo/kernel'
import { createLogger, createService } from '@nubo/service-kit'
import { imageConfiguration } from '../configuration.js'
import { imageService } from '../service.js'

/** Everything an image service stands on, in one temporary folder, and the keys of those that it trusts. */
export class ImageWorld {
  private constructor(
    private readonly postgres: PrivatePostgres,
    readonly database: DatabaseAddress,
    readonly directory: string,
    private readonly tokens: TokenSigner,
    private readonly credentials: ImageCredentialSigner,
  ) {}

  static async make(): Promise<ImageWorld> {
    const postgres = await startPostgres()
    const database = await createMigrated(postgres)
    const directory = mkdtempSync(join(tmpdir(), 'nubo-image-'))
    const [tokenKeys, credentialKeys] = [generateTokenKeys(), generateTokenKeys()]
    writeFileSync(join(directory, 'tokens.pem'), tokenKeys.publicKeyPem)
    writeFileSync(join(directory, 'credentials.pem'), credentialKeys.publicKeyPem)
    const signers = [new TokenSigner(tokenKeys.privateKeyPem), new ImageCredentialSigner(credentialKeys.privateKeyPem)] as const
    return new ImageWorld(postgres, database, directory, ...signers)
  }

  /** As `image.json` would hold it, with any port. */
  configuration(more: { directory?: string; limits?: Record<string, unknown> } = {}) {
    return {
      log: { level: 'fatal' },
      listen: { host: '127.0.0.1', port: 0 },
      database: { ...this.database, poolSize: 5 },
      publicUrl: 'http://127.0.0.1:9292',
      identityUrl: 'http://127.0.0.1:5000/v3',
      tokens: { publicKeyFile: join(this.directory, 'tokens.pem') },
      directory: join(this.directory, 'images'),
      agentCredentials: { publicKeyFile: join(this.directory, 'credentials.pem') },
      ...more,
    }
  }

  /** A token of a user of `project`. */
  token(project: string, roles: readonly string[] = ['member', 'reader']): Promise<string> {
    const now = systemClock.now().getTime()
    return this.tokens.sign({
      userId: `user-of-${project}` as UserId,
      userName: 'user',
      userDomainId: 'default' as DomainId,
      scope: {
        kind: 'project',
        projectId: project as ProjectId,
        projectName: project,
        projectDomainId: 'default' as DomainId,
      },
      roles,
      methods: ['password'],
      auditId: `${project}-${roles.join('-')}`,
      parentAuditId: undefined,
      issuedAtMs: now,
      expiresAtMs: now + 3_600_000,
    })
  }

  credential(imageId: string, expiresInMs = 60_000): Promise<string> {
    const hostId = '0e3b1c1e-9d5c-4b0e-8a53-3f4c5a7d2b11' as HostId
    return this.credentials.sign({ imageId: imageId as ImageId, hostId, expiresAtMs: systemClock.now().getTime() + expiresInMs })
  }

  /** Names of the files on disk, whole or not. */
  files(): string[] {
    return ['incoming', 'whole'].flatMap((name) => readdirSync(join(this.directory, 'images', name)))
  }

  async stop(): Promise<void> {
    await this.postgres.stop()
    rmSync(this.directory, { recursive: true })
  }
}

export interface Answer {
  status: number
  headers: Headers
  /** Parsed, where it is JSON. */
  body: any
  bytes: Buffer
}

interface RequestParts {
  headers?: Record<string, string>
  json?: unknown
  body?: string | Uint8Array<ArrayBuffer>
}

/** What one caller asks of an image service. */
export class Client {
  constructor(
    readonly url: string,
    readonly token: string | undefined,
  ) {}

  async request(method: string, path: string, { headers = {}, json, body }: RequestParts = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(this.token !== undefined && { 'x-auth-token': this.token }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? body : JSON.stringify(json),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    const isJson = bytes.length > 0 && response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(bytes.toString()) : undefined, bytes }
  }

  get = (path: string, headers?: Record<string, string>) => this.request('GET', path, { headers })
  post = (path: string, json?: unknown) => this.request('POST', path, { json })
  delete = (path: string) => this.request('DELETE', path)

  patch(id: string, changes: unknown): Promise<Answer> {
    const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
    return this.request('PATCH', `/v2/images/${id}`, { headers, body: JSON.stringify(changes) })
  }

  upload(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<Answer> {
    return this.request('PUT', `/v2/images/${id}/file`, { headers: { 'content-type': 'application/octet-stream' }, body: bytes })
  }

  /** A queued image; `more` adds to a raw one, or replaces what it is made of. */
  async create(more: Record<string, unknown> = {}): Promise<any> {
    const answer = await this.post('/v2/images', { name: 'image', disk_format: 'raw', container_format: 'bare', ...more })
    if (answer.status !== 201) throw new Error(`not created: ${answer.status} ${answer.bytes}`)
    return answer.body
  }

  /** An image with bytes. */
  async createWhole(bytes: Uint8Array<ArrayBuffer>, more: Record<string, unknown> = {}): Promise<any> {
    const { id } = await this.create(more)
    const answer = await this.upload(id, bytes)
    if (answer.status !== 204) throw new Error(`not uploaded: ${answer.status} ${answer.bytes}`)
    return (await this.get(`/v2/images/${id}`)).body
  }
}

/** An image service within this process, listening. */
export class RunningService {
  private constructor(
    readonly world: ImageWorld,
    readonly app: NestFastifyApplication,
    readonly url: string,
    readonly db: Database,
  ) {}

  static async start(world: ImageWorld, limits?: Record<string, unknown>): Promise<RunningService> {
    const configuration = imageConfiguration.parse(world.configuration(limits && { limits }))
    const app = await createService(imageService, configuration, { logger: createLogger('image', 'fatal') })
    await app.listen(configuration.listen)
    return new RunningService(world, app, await app.getUrl(), Database.connect({ ...world.database, poolSize: 2 }))
  }

  async client(project: string, roles?: readonly string[]): Promise<Client> {
    return new Client(this.url, await this.world.token(project, roles))
  }

  anonymous(): Client {
    return new Client(this.url, undefined)
  }

  async stop(): Promise<void> {
    await this.app.close()
    await this.db.close()
  }
}

export const adminRoles = ['admin', 'manager', 'member', 'reader']
