import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { generateTokenKeys } from '@nubo/auth'
import { Database, lockForRevocation } from '@nubo/database'
import { createMigrated } from '@nubo/database/testing'
import { freePort, startPostgres, startRedis, waitFor } from '@nubo/deploy'

// The api as the process it is: built, configured by a file, ended by a signal.

jest.setTimeout(120_000)

const program = (name: string) => new URL(`../dist/${name}.js`, import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'nubo-api-process-'))
const configurationFile = join(directory, 'api.json')
const bootstrapFile = join(directory, 'bootstrap.json')
let stores: [Awaited<ReturnType<typeof startPostgres>>, Awaited<ReturnType<typeof startRedis>>]
let databaseAddress: Awaited<ReturnType<typeof createMigrated>>
let url: string

beforeAll(async () => {
  stores = await Promise.all([startPostgres(), startRedis()])
  databaseAddress = await createMigrated(stores[0])
  const privateKeyFile = join(directory, 'token.pem')
  writeFileSync(privateKeyFile, generateTokenKeys().privateKeyPem)
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const configuration = {
    listen: { host: '127.0.0.1', port },
    database: databaseAddress,
    redis: stores[1].address,
    region: 'RegionOne',
    publicUrl: url,
    imageUrl: url,
    tokens: { privateKeyFile },
    // Commands to hosts are signed with a key of its own in an installation; any such key does.
    hostCommands: { privateKeyFile },
  }
  writeFileSync(configurationFile, JSON.stringify(configuration))
  writeFileSync(bootstrapFile, JSON.stringify({ adminPassword: 'admin-secret', demoPassword: 'demo-secret' }))
})
afterAll(async () => {
  await Promise.all(stores.map((store) => store.stop()))
  rmSync(directory, { recursive: true })
})

function run(name: string, ...args: string[]) {
  const child = spawn(process.execPath, [program(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, ended, output: () => output }
}

const ready = () =>
  fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  )

const login = () =>
  fetch(`${url}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'demo', domain: { id: 'default' }, password: 'demo-secret' } },
        },
      },
    }),
  })

const patience = { timeoutMs: 60_000 }

/** A login that has come as far as the lock which whoever revokes holds. */
async function loginThatWaits() {
  const database = Database.connect({ ...databaseAddress, poolSize: 2 })
  const released = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const holding = database.transaction(async (tx) => {
    await lockForRevocation(tx)
    locked.resolve()
    await released.promise
  })
  await locked.promise
  const response = login()
  const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`
  await waitFor('a login to wait', async () => (await database.query(waiting)).length > 0, patience)
  const letGo = () => {
    released.resolve()
    void holding.then(() => database.close())
  }
  return { response, letGo }
}

it('is bootstrapped, serves, ends what is under way on SIGTERM, and leaves with 0', async () => {
  const bootstrap = run('bootstrap', '--config', configurationFile, '--bootstrap', bootstrapFile)
  expect([await bootstrap.ended, bootstrap.output()]).toEqual([0, expect.stringContaining('created user demo')])
  const again = run('bootstrap', '--config', configurationFile, '--bootstrap', bootstrapFile)
  expect([await again.ended, again.output()]).toEqual([0, 'nothing to do\n'])

  const api = run('main', '--config', configurationFile)
  await waitFor('the api to be ready', ready, patience)
  expect((await login()).status).toBe(201)
  const underWay = await loginThatWaits()
  api.child.kill('SIGTERM')
  await waitFor('the end to have begun', () => api.output().includes('"stopping"'), patience)
  underWay.letGo()
  expect((await underWay.response).status).toBe(201)
  expect(await api.ended).toBe(0)
  expect(api.output()).not.toMatch(/demo-secret|admin-secret/)
})

it('refuses a configuration with every problem it has, and exit code 1', async () => {
  const file = join(directory, 'wrong.json')
  writeFileSync(file, JSON.stringify({ listen: { host: '127.0.0.1', port: 'x' }, region: '', surprise: true }))
  const api = run('main', '--config', file)
  expect(await api.ended).toBe(1)
  for (const problem of ['listen.port', 'database', 'region', 'publicUrl', 'surprise']) expect(api.output()).toContain(problem)
})

it('says in one line that its port is in use', async () => {
  const first = run('main', '--config', configurationFile)
  await waitFor('the api to be ready', ready, patience)
  const second = run('main', '--config', configurationFile)
  expect(await second.ended).toBe(1)
  expect(second.output()).toContain('EADDRINUSE')
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
})
