import { join } from 'node:path'
import { migrate } from '@nubo/database'
import { Client } from 'pg'
import type { Cloud } from '../cloud.js'
import { databaseOf, redisOf } from '../configuration.js'
import { waitForPostgres } from '../data/postgres.js'
import { initialisePostgres } from '../data/postgres-program.js'
import { waitForRedis } from '../data/redis.js'
import { prepareRedis } from '../data/redis-program.js'
import { postgresService, redisService } from '../services.js'
import type { SupervisorHandle } from '../supervisor/start.js'
import { whyServiceFails } from './why.js'

/** PostgreSQL, the database in it and its migrations. */
export async function startDatabase(
  cloud: Cloud,
  supervisor: SupervisorHandle,
  progress: (words: string) => void,
): Promise<string> {
  await initialisePostgres(cloud.postgres, cloud.account)
  const specification = postgresService(cloud)
  await supervisor.ask({ verb: 'ensure', service: specification })
  const address = databaseOf(cloud.installation, cloud.places)
  const whyNot = whyServiceFails(supervisor, 'postgres', specification.logFile)
  await waitForPostgres({ ...address, database: 'postgres' }, whyNot)
  await createDatabase({ ...address, database: 'postgres' }, address.database)
  progress('migrating')
  const applied = await migrate(address, join(cloud.clone, 'prisma/migrations'))
  return applied.length ? `${applied.length} migrations applied` : 'nothing to migrate'
}

export async function startRedis(cloud: Cloud, supervisor: SupervisorHandle): Promise<void> {
  const specification = redisService(cloud, prepareRedis(cloud.redis, cloud.account))
  await supervisor.ask({ verb: 'ensure', service: specification })
  await waitForRedis(redisOf(cloud.installation, 'operator'), whyServiceFails(supervisor, 'redis', specification.logFile))
}

async function createDatabase(address: ConstructorParameters<typeof Client>[0], name: string): Promise<void> {
  const client = new Client(address)
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (!rowCount) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}
