import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '@nubo/deploy'
import { testGuest } from '@nubo/hypervisor/testing'
import { Installation } from '../support/installation.js'
import { OpenStackClient } from '../support/openstack-client.js'

const minutes = 60_000
const patience = { timeoutMs: 4 * minutes, everyMs: 500 }

let cloud: Installation
let directory: string
let demo: OpenStackClient
let admin: OpenStackClient

beforeAll(async () => {
  cloud = await Installation.up('compat')
  directory = await mkdtemp(join(tmpdir(), 'nubo-compat-'))
  demo = new OpenStackClient(cloud.cloudsFile, 'nubo')
  admin = new OpenStackClient(cloud.cloudsFile, 'nubo-admin')
}, 10 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
  if (directory) await rm(directory, { recursive: true })
}, 5 * minutes)

/** A client of another user: with clouds of its own, as the client mixes what a cloud says with its options. */
async function clientOf(username: string, password: string, project: string): Promise<OpenStackClient> {
  const [, authUrl] = /auth_url: *"?([^"\s]+)/.exec(await readFile(cloud.cloudsFile, 'utf8'))!
  const domain = { user_domain_name: 'Default', project_domain_name: 'Default' }
  const auth = { auth_url: authUrl, username, password, project_name: project, ...domain }
  const file = join(directory, `${username}.yaml`)
  await writeFile(file, JSON.stringify({ clouds: { [username]: { auth, identity_api_version: '3' } } }), { mode: 0o600 })
  return new OpenStackClient(file, username)
}

interface Named {
  ID: string
  Name: string
}

interface ListedServer extends Named {
  Status: string
  Host?: string
}

const names = (rows: readonly { Name: string }[]) => rows.map((row) => row.Name)

describe('identity', () => {
  it('issues a token and shows the catalog', async () => {
    const token = await demo.json('token', 'issue')
    expect(token).toMatchObject({ id: expect.any(String), project_id: expect.any(String), user_id: expect.any(String) })
    const catalog = await demo.json<Named[]>('catalog', 'list')
    expect(catalog.map((row) => (row as unknown as { Type: string }).Type)).toEqual(
      expect.arrayContaining(['identity', 'compute', 'image']),
    )
  })

  it('refuses a wrong password', async () => {
    const refused = await demo.with({ OS_PASSWORD: 'wrong' }).try('--os-password', 'wrong', 'token', 'issue')
    expect(refused).toMatchObject({ ok: false, errors: expect.stringContaining('HTTP 401') })
  })
})

describe('images', () => {
  it(
    'are created from a file, listed, shown, saved and deleted',
    async () => {
      const file = join(directory, 'image.raw')
      const bytes = Buffer.alloc(1024 * 1024, 'nubo')
      await writeFile(file, bytes)
      const made = await demo.json<{ id: string; checksum: string; status: string }>(
        ...['image', 'create', '--file', file, '--disk-format', 'raw', '--container-format', 'bare', 'compat image'],
      )
      const shown = await demo.json<Record<string, unknown>>('image', 'show', made.id)
      expect(shown).toMatchObject({
        status: 'active',
        size: bytes.length,
        checksum: createHash('md5').update(bytes).digest('hex'),
      })
      expect(names(await demo.json<Named[]>('image', 'list'))).toContain('compat image')
      const saved = join(directory, 'saved.raw')
      await demo.run('image', 'save', '--file', saved, made.id)
      expect((await readFile(saved)).equals(bytes)).toBe(true)
      await demo.run('image', 'delete', made.id)
      expect(names(await demo.json<Named[]>('image', 'list'))).not.toContain('compat image')
    },
    4 * minutes,
  )
})

describe('keypairs', () => {
  it(
    'are made, listed and deleted',
    async () => {
      const privateKey = await demo.run('keypair', 'create', 'compat-key')
      expect(privateKey).toContain('PRIVATE KEY')
      expect(names(await demo.json<Named[]>('keypair', 'list'))).toContain('compat-key')
      await demo.run('keypair', 'delete', 'compat-key')
      expect(names(await demo.json<Named[]>('keypair', 'list'))).not.toContain('compat-key')
    },
    4 * minutes,
  )
})

describe('servers', () => {
  it('have flavors to choose from', async () => {
    expect(names(await demo.json<Named[]>('flavor', 'list'))).toContain('m1.nano')
  })

  it(
    'are created with the client’s own version, stopped, started, rebooted and deleted',
    async () => {
      const made = await demo.json<{ id: string; status: string }>(
        ...['server', 'create', '--image', 'nubo-guest', '--flavor', 'm1.nano', '--wait', 'compat'],
      )
      expect(made.status).toBe('ACTIVE')
      expect(names(await demo.json<ListedServer[]>('server', 'list'))).toContain('compat')
      const status = async () => (await demo.json<{ status: string }>('server', 'show', made.id)).status
      const becomes = (wanted: string) =>
        waitFor(
          `the server is ${wanted}`,
          async () => {
            const now = await status()
            expect(now).not.toBe('ERROR')
            return now === wanted
          },
          patience,
        )
      // Booted, it heeds the power button; before that, it is up to the grace time.
      const asksForLogin = async () => (await demo.run('console', 'log', 'show', made.id)).includes('login:')
      await waitFor('the guest asks for a login', asksForLogin, patience)
      await demo.run('server', 'stop', made.id)
      await becomes('SHUTOFF')
      await demo.run('server', 'start', made.id)
      await becomes('ACTIVE')
      await demo.run('server', 'reboot', '--hard', '--wait', made.id)
      expect(await status()).toBe('ACTIVE')
      const events = await demo.json<{ Action: string; 'Request ID': string }[]>('server', 'event', 'list', made.id)
      expect(events.map(({ Action }) => Action)).toEqual(['reboot', 'start', 'stop', 'create'])
      // Until 2.50 what an action did is for administrators.
      const show = ['--os-compute-api-version', '2.51', 'server', 'event', 'show']
      const shown = await demo.json(...show, made.id, events[2]!['Request ID'])
      expect(shown).toMatchObject({ action: 'stop', instance_uuid: made.id, events: [{ result: 'Success' }] })
      expect(await demo.try('server', 'event', 'show', made.id, 'req-none')).toMatchObject({ ok: false })
      await demo.run('server', 'delete', '--wait', made.id)
      expect(names(await demo.json<ListedServer[]>('server', 'list'))).not.toContain('compat')
    },
    8 * minutes,
  )

  it(
    'ten at once with 2.37 and no network are spread over both hosts',
    async () => {
      await admin.run('quota', 'set', '--instances', '20', '--cores', '40', 'demo')
      // Of one sector: ten systems that boot at once have the machine for a minute, and nobody looks at them.
      const file = join(directory, 'sector.raw')
      await writeFile(file, Buffer.concat([testGuest, Buffer.alloc(1024 * 1024 - testGuest.length)]))
      await demo.run('image', 'create', '--file', file, '--disk-format', 'raw', '--container-format', 'bare', 'sector')
      await demo.run(
        ...['--os-compute-api-version', '2.37', 'server', 'create', '--image', 'sector', '--flavor', 'm1.nano'],
        ...['--nic', 'none', '--min', '10', '--max', '10', '--wait', 'ten'],
      )
      const listed = await admin.json<ListedServer[]>('server', 'list', '--all-projects', '--long')
      const ours = listed.filter((server) => server.Name.startsWith('ten'))
      expect(ours.map((server) => server.Status)).toEqual(Array.from({ length: 10 }, () => 'ACTIVE'))
      expect(new Set(ours.map((server) => server.Host)).size).toBe(2)
      // Without --wait: the client would delete one after the other, and sleep for 5 s after each.
      await demo.run('server', 'delete', ...ours.map((server) => server.ID))
      const areGone = async () => !(await demo.json<ListedServer[]>('server', 'list')).some(({ Name }) => Name.startsWith('ten'))
      await waitFor('the ten are gone', areGone, patience)
    },
    8 * minutes,
  )

  it('say in a table of hypervisors what runs them', async () => {
    const hypervisors = await admin.json<Record<string, unknown>[]>('hypervisor', 'list')
    expect(hypervisors).toHaveLength(2)
    expect(hypervisors[0]).toMatchObject({ State: 'up' })
  })
})

describe('a second project', () => {
  it(
    'has its own user, who sees nothing of the first',
    async () => {
      await admin.run('project', 'create', 'second')
      await admin.run('user', 'create', '--project', 'second', '--password', 'a password', 'someone')
      await admin.run('role', 'add', '--project', 'second', '--user', 'someone', 'member')
      const first = await demo.json<ListedServer[]>('server', 'list')
      expect(first.length).toBeGreaterThan(0)
      const someone = await clientOf('someone', 'a password', 'second')
      expect(await someone.json<ListedServer[]>('server', 'list')).toEqual([])
      expect(await someone.try('server', 'show', first[0]!.ID)).toMatchObject({
        ok: false,
        errors: expect.stringMatching(/No server|could not be found/),
      })
      expect(await someone.try('server', 'delete', first[0]!.ID)).toMatchObject({ ok: false })
      expect(await someone.try('hypervisor', 'list')).toMatchObject({ ok: false, errors: expect.stringContaining('403') })
      expect(names(await demo.json<ListedServer[]>('server', 'list'))).toContain(first[0]!.Name)
    },
    3 * minutes,
  )
})
