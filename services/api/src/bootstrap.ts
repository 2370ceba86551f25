import { PasswordHasher } from '@nubo/auth'
import { Database } from '@nubo/database'
import { systemRandom } from '@nubo/kernel'
import { commandLineOption, readConfiguration } from '@nubo/service-kit'
import { z } from 'zod'
import { bootstrapCloud } from './bootstrap/bootstrap-cloud.js'
import { apiConfiguration } from './configuration.js'

/** `node bootstrap.js --config api.json --bootstrap bootstrap.json`: what a new cloud cannot be without. Run again, it repairs. */
const passwords = z.strictObject({ adminPassword: z.string().min(1).max(128), demoPassword: z.string().min(1).max(128) })

async function main(): Promise<void> {
  const configurationFile = commandLineOption(process.argv, 'config')
  const passwordsFile = commandLineOption(process.argv, 'bootstrap')
  if (!configurationFile || !passwordsFile) throw new Error('usage: bootstrap --config api.json --bootstrap bootstrap.json')
  const configuration = readConfiguration(configurationFile, apiConfiguration)
  const database = Database.connect({ ...configuration.database, poolSize: 1 })
  try {
    const done = await bootstrapCloud(
      database,
      new PasswordHasher(systemRandom),
      systemRandom,
      readConfiguration(passwordsFile, passwords),
    )
    process.stdout.write(done.length === 0 ? 'nothing to do\n' : `${done.join('\n')}\n`)
  } finally {
    await database.close()
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`bootstrap: ${(error as Error).message}\n`)
  process.exitCode = 1
})
