import { join } from 'node:path'
import { Database, type DatabaseOptions } from '../connection.js'
import { migrate } from '../migrate.js'

/** The same from the sources and from what was built of them. */
const migrations = join(import.meta.dirname, '../../../../prisma/migrations')

type DatabaseAddress = Omit<DatabaseOptions, 'poolSize' | 'statementTimeoutMs'>

/** What `startPostgres` of the deployment gives, which stands on this library. */
interface Postgres {
  createDatabase(): Promise<DatabaseAddress>
  stop(): Promise<void>
}

/** Where a new database with every migration can be reached. */
export async function createMigrated(postgres: Pick<Postgres, 'createDatabase'>): Promise<DatabaseAddress> {
  const address = await postgres.createDatabase()
  await migrate(address, migrations)
  return address
}

/** A PostgreSQL of a suite's own, with one database that has every migration, and connections to it. */
export class TestDatabase implements AsyncDisposable {
  private constructor(
    private readonly postgres: Postgres,
    readonly address: DatabaseAddress,
    readonly database: Database,
  ) {}

  /** @param postgres one that was started for it, and ends with it. */
  static async on(postgres: Postgres, { poolSize = 4 } = {}): Promise<TestDatabase> {
    const address = await createMigrated(postgres)
    return new TestDatabase(postgres, address, Database.connect({ ...address, poolSize }))
  }

  async stop(): Promise<void> {
    await this.database.close()
    await this.postgres.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
