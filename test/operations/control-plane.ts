import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealText } from '@nubo/auth'
import { Database } from '@nubo/database'
import { createMigrated } from '@nubo/database/testing'
import { startPostgres, startRedis } from '@nubo/deploy'
import { systemClock, systemRandom } from '@nubo/kernel'
import { hurriedClock } from '@nubo/kernel/testing'
import { BullMqQueue, type Seal } from '@nubo/queue'
import { createService, type BaseConfiguration, type ServiceOptions } from '@nubo/service-kit'
import { conductorService } from '../../services/conductor/src/service.js'
import { schedulerService } from '../../services/scheduler/src/service.js'
import { writeKeys } from '../support/cloud-configuration.js'
import { Stack } from '../support/stack.js'
import { HostsQueue } from './hosts-queue.js'

/** A scheduler and a conductor on a real PostgreSQL and Redis of their own, within this process. */
export async function startControlPlane() {
  const stack = new Stack()
  const postgres = stack.add(await startPostgres(), (each) => each.stop())
  const redis = stack.add(await startRedis(), (each) => each.stop())
  const address = await createMigrated(postgres)
  const directory = stack.add(await mkdtemp(join(tmpdir(), 'nubo-test-')), (each) => rm(each, { recursive: true }))
  const keys = await writeKeys(directory)
  const configuration = {
    log: { level: 'fatal' as const },
    listen: { host: '127.0.0.1', port: 0 },
    database: { ...address, poolSize: 10 },
    redis: redis.address,
    hostCommands: { privateKeyFile: keys.privateKeyFile },
  }
  const credentials = { imageUrl: 'http://127.0.0.1:9', imageCredentials: { privateKeyFile: keys.privateKeyFile } }
  const database = stack.add(Database.connect(configuration.database), (each) => each.close())
  const commandKey = createPrivateKey(await readFile(keys.privateKeyFile))
  const controlPlaneKey = createPublicKey(commandKey)
  const seal: Seal = {
    close: (hostId, message) => sealText(commandKey, 'command', hostId, JSON.stringify(message)),
    // The conductor of this test hears the hosts.
    open: () => undefined,
  }
  const common = { redis: redis.address, clock: systemClock, random: systemRandom, onError: () => undefined }
  const ours = new BullMqQueue({ ...common, seal })
  const queue = stack.add(new HostsQueue({ ours, redis: redis.address, database, controlPlaneKey }), (each) => each.close())
  const run = async <C extends BaseConfiguration>(service: ServiceOptions<C>, more: Partial<C> = {}) =>
    stack.add(await createService(service, { ...configuration, ...more } as unknown as C, { clock: hurriedClock }), (app) =>
      app.close(),
    )
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
