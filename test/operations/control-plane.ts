import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Database, migrate } from '@nubo/database'
import { startPostgres, startRedis } from '@nubo/deploy'
import { systemClock, systemRandom } from '@nubo/kernel'
import { BullMqQueue } from '@nubo/queue'
import { createService, type BaseConfiguration, type ServiceOptions } from '@nubo/service-kit'
import { conductorService } from '../../services/conductor/src/service.js'
import { schedulerService } from '../../services/scheduler/src/service.js'
import { repository } from '../support/repository.js'
import { Stack } from '../support/stack.js'

const migrations = join(repository, 'prisma/migrations')

/** A scheduler and a conductor on a real PostgreSQL and Redis of their own, within this process. */
export async function startControlPlane() {
  const stack = new Stack()
  const postgres = stack.add(await startPostgres(), (each) => each.stop())
  const redis = stack.add(await startRedis(), (each) => each.stop())
  const address = await postgres.createDatabase()
  await migrate(address, migrations)
  const directory = stack.add(await mkdtemp(join(tmpdir(), 'nubo-test-')), (each) => rm(each, { recursive: true }))
  const keys = await writeKeys(directory)
  const configuration = {
    log: { level: 'fatal' as const },
    listen: { host: '127.0.0.1', port: 0 },
    database: { ...address, poolSize: 10 },
    redis: redis.address,
  }
  const credentials = { imageUrl: 'http://127.0.0.1:9', imageCredentials: { privateKeyFile: keys.privateKeyFile } }
  const database = stack.add(Database.connect(configuration.database), (each) => each.close())
  const queue = stack.add(
    new BullMqQueue({ redis: redis.address, clock: systemClock, random: systemRandom, onError: () => undefined }),
    (each) => each.close(),
  )
  const run = async <C extends BaseConfiguration>(service: ServiceOptions<C>, more: Partial<C> = {}) =>
    stack.add(await createService(service, { ...configuration, ...more } as unknown as C), (app) => app.close())
  await run(schedulerService, credentials)
  await run(conductorService, credentials)
  return {
    stack,
    database,
    queue,
    postgres,
    redis,
    configuration,
    keys,
    run,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  }
}

async function writeKeys(directory: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const privateKeyFile = join(directory, 'key.pem')
  const publicKeyFile = join(directory, 'key.pub')
  await writeFile(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await writeFile(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  return { privateKeyFile, publicKeyFile }
}
