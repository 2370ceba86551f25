import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { generateTokenKeys, PasswordHasher, TokenSigner } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import type { Database } from '@nubo/database'
import { createMigrated } from '@nubo/database/testing'
import { startPostgres, startRedis } from '@nubo/deploy'
import { systemClock, systemRandom, type Clock } from '@nubo/kernel'
import { createLogger, createService } from '@nubo/service-kit'
import { bootstrapCloud } from '../bootstrap/bootstrap-cloud.js'
import { apiConfiguration } from '../configuration.js'
import { apiService } from '../service.js'

export const adminPassword = 'admin-secret'
export const demoPassword = 'demo-secret'

export interface TestRequest {
  token?: string
  body?: unknown
  headers?: Record<string, string>
}

/** The whole api on a PostgreSQL and a Redis of its own, with the first contents of a cloud, to `inject` requests into. */
export class TestApi {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly database: Database,
    /** Signs tokens of whoever a test makes up. */
    readonly signer: TokenSigner,
    readonly logLines: string[],
    private readonly release: () => Promise<void>,
  ) {}

  static async start(options: { clock?: Clock } = {}): Promise<TestApi> {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    const address = await createMigrated(postgres)
    const directory = mkdtempSync(join(tmpdir(), 'nubo-api-'))
    const { privateKeyPem } = generateTokenKeys()
    writeFileSync(join(directory, 'token.pem'), privateKeyPem)
    const configuration = apiConfiguration.parse({
      listen: { host: '127.0.0.1', port: 0 },
      database: { ...address, poolSize: 5 },
      redis: redis.address,
      region: 'RegionOne',
      publicUrl: 'http://cloud.example:8774',
      imageUrl: 'http://cloud.example:9292',
      tokens: { privateKeyFile: join(directory, 'token.pem') },
      hostCommands: { privateKeyFile: join(directory, 'token.pem') },
    })
    const logLines: string[] = []
    const logger = createLogger('api', 'debug', { write: (line) => void logLines.push(line) })
    const app = await createService(apiService, configuration, { logger, clock: options.clock ?? systemClock })
    const database = app.get<Database>(DATABASE)
    await bootstrapCloud(database, new PasswordHasher(systemRandom), systemRandom, { adminPassword, demoPassword })
    return new TestApi(app, database, new TokenSigner(privateKeyPem), logLines, async () => {
      await app.close()
      await Promise.all([postgres.stop(), redis.stop()])
      rmSync(directory, { recursive: true })
    })
  }

  stop(): Promise<void> {
    return this.release()
  }

  send(method: string, url: string, { token, body, headers }: TestRequest = {}) {
    return this.app.inject({
      method: method as 'GET',
      url,
      headers: {
        host: 'cloud.example:8774',
        accept: 'application/json',
        ...(token !== undefined && { 'x-auth-token': token }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  /** A token by name and password in the default domain, scoped as `scope` says (nothing: the user's own project). */
  async login(name: string, password: string, scope?: unknown): Promise<string> {
    const response = await this.send('POST', '/v3/auth/tokens', { body: passwordAuth(name, password, scope) })
    if (response.statusCode !== 201) throw new Error(`login of ${name}: ${response.statusCode} ${response.body}`)
    return response.headers['x-subject-token'] as string
  }

  admin(): Promise<string> {
    return this.login('admin', adminPassword, onProject('admin'))
  }

  demo(): Promise<string> {
    return this.login('demo', demoPassword, onProject('demo'))
  }
}

export const onProject = (name: string) => ({ project: { name, domain: { id: 'default' } } })
export const onSystem = { system: { all: true } }

export const passwordAuth = (name: string, password: string, scope?: unknown) => ({
  auth: {
    identity: { methods: ['password'], password: { user: { name, password, domain: { id: 'default' } } } },
    ...(scope !== undefined && { scope }),
  },
})
