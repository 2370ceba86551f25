import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ensureHostKey, ImageCredentialSigner } from '@nubo/auth'
import { Database } from '@nubo/database'
import { sampleInventory } from '@nubo/database/testing'
import { waitFor } from '@nubo/deploy'
import { newId, systemRandom, type HostId, type Id, type ImageId } from '@nubo/kernel'
import { answerKey, hostKeys, lineKey } from '@nubo/queue'
import { Redis } from 'ioredis'
import { Cloud } from '../support/cloud.js'
import type { CloudClient } from '../support/client.js'
import { TakenOverHost } from './taken-over-host.js'

const minutes = 60_000
const sizes = { vcpus: 100, memoryMiB: 65_536, diskGiB: 1_000 }

interface Refusals {
  host_keys: { host_id: string; fingerprint: string | null; refused: { reason: string; count: number }[] }[]
}
interface HostRow {
  id: HostId
  name: string
  session: string
  address: string
}

let cloud: Cloud
let database: Database
let redis: Redis
let admin: CloudClient
let demo: CloudClient
let images: { known: string; other: string }
let flavorRef: string
/** A server on the host that is sound, and one on the host that is not. */
let servers: { sound: string; taken: string }
let sound: HostRow
let taken: TakenOverHost

const until = <T>(what: string, look: () => Promise<T>) => waitFor(what, look, { timeoutMs: minutes, everyMs: 50 })
const hosts = () =>
  database.query<HostRow>('SELECT id, name, session_id AS session, address FROM hosts ORDER BY name').then((rows) => rows)
const statusOf = async (id: string) =>
  (await demo.compute<{ server: { status: string } }>('GET', `/servers/${id}`)).body.server.status
const recordOf = async (id: string) =>
  (await database.query('SELECT host_id, vm_state, power_state, wanted, fence FROM servers WHERE id = $1', [id]))[0]!

async function created(name: string): Promise<{ id: string; host: string }> {
  const parts = { imageRef: images.known, flavorRef, networks: 'none' }
  const made = await demo.compute<{ server: { id: string } }>('POST', '/servers', { server: { name, ...parts } })
  const { id } = made.body.server
  await until(`${name} is ACTIVE`, async () => (await statusOf(id)) === 'ACTIVE')
  const shown = await admin.compute<{ server: Record<string, string> }>('GET', `/servers/${id}`)
  return { id, host: shown.body.server['OS-EXT-SRV-ATTR:host']! }
}

/** Makes servers until each host has one. */
async function oneOnEach(): Promise<typeof servers> {
  const on = new Map<string, string>()
  for (let number = 1; on.size < 2; number++) {
    const { id, host } = await created(`server-${number}`)
    on.set(host, id)
  }
  return { sound: on.get('sound')!, taken: on.get('taken')! }
}

const refusalsOf = async (id: string) => {
  const { body } = await admin.call<Refusals>('GET', `${cloud.apiUrl}/nubo/v1/host-keys`)
  return body.host_keys.find((row) => row.host_id === id)?.refused.map(({ reason }) => reason) ?? []
}

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: ['sound', 'taken'].map((name) => ({ name, ...sizes })) })
  database = Database.connect({ ...cloud.databaseAddress, poolSize: 1 })
  redis = new Redis(cloud.redis.address)
  admin = await cloud.admin()
  demo = await cloud.demo()
  const bytes = new Uint8Array(1024 * 1024)
  images = { known: await admin.uploadImage('known', 'raw', bytes), other: await admin.uploadImage('other', 'raw', bytes) }
  const flavor = { name: 'tiny', vcpus: 1, ram: 64, disk: 1 }
  flavorRef = (await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })).body.flavor.id
  servers = await oneOnEach()
  const [first, second] = await hosts()
  sound = first!
  await cloud.kill('agent-taken')
  taken = new TakenOverHost(cloud, 'taken', second!.id)
}, 3 * minutes)

afterAll(async () => {
  await taken?.[Symbol.asyncDispose]()
  redis?.disconnect()
  await database?.close()
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

it('may do nothing in Redis but take its own and fill its own outbox', async () => {
  // A host that is away, so that nobody but a thief takes what is for it.
  const theirs = hostKeys(newId<HostId>(systemRandom))
  const mine = hostKeys(taken.id)
  await redis.rpush(theirs.commands, 'secret')
  await redis.rpush(theirs.questions, 'secret')
  const attempts: [string, ...string[]][] = [
    // Another's commands, questions, reports and answers.
    ...Object.values(theirs).flatMap((key): [string, ...string[]][] => [
      ['GET', key],
      ['LRANGE', key, '0', '-1'],
      ['BLMPOP', '0.01', '1', key, 'LEFT'],
      ['LMOVE', key, mine.ticket, 'LEFT', 'LEFT'],
      ['BLMOVE', key, lineKey, 'LEFT', 'LEFT', '0.01'],
      ['SET', key, 'x'],
      ['DEL', key],
      ['LTRIM', key, '1', '0'],
      ['RPUSH', key, 'x'],
      ['EXISTS', key],
      ['TYPE', key],
      ['DUMP', key],
      ['RENAME', key, mine.outbox],
      ['COPY', key, mine.outbox],
      ['EXPIRE', key, '1'],
      ['OBJECT', 'ENCODING', key],
      ['MEMORY', 'USAGE', key],
      ['SORT', key, 'STORE', mine.outbox],
    ]),
    ['BLPOP', answerKey(sound.id, newId<Id<'question'>>(systemRandom)), '0.01'],
    ['RPUSH', answerKey(taken.id, newId<Id<'question'>>(systemRandom)), 'x'],
    // Who waits to be heard, and in what order.
    ['LRANGE', lineKey, '0', '-1'],
    ['RPUSH', lineKey, taken.id],
    ['LMOVE', lineKey, mine.ticket, 'LEFT', 'LEFT'],
    ['LMOVE', lineKey, lineKey, 'LEFT', 'RIGHT'],
    ['BLMPOP', '0.01', '1', lineKey, 'LEFT'],
    ['DEL', lineKey],
    ['LREM', lineKey, '0', sound.id],
    // Tickets of its own making, and a backlog of any other kind.
    ['RPUSH', mine.ticket, taken.id],
    ['SET', mine.ticket, taken.id],
    ['RPUSH', mine.commands, 'x'],
    ['APPEND', mine.outbox, 'x'],
    ['SETRANGE', mine.outbox, '500000', 'x'],
    ['SET', `${mine.outbox}-2`, 'x'],
    ['SET', 'anything', 'x'],
    ['SADD', 'nubo:placement:wait', 'x'],
    ['LRANGE', 'nubo:placement:wait', '0', '-1'],
    // Redis itself.
    ...[
      'KEYS *|SCAN 0|RANDOMKEY|DBSIZE|INFO|FLUSHALL|FLUSHDB|SWAPDB 0 1|SELECT 1|CONFIG GET *|CONFIG SET maxmemory 1|CONFIG REWRITE',
      'SAVE|BGSAVE|BGREWRITEAOF|SHUTDOWN NOSAVE|DEBUG SLEEP 0|MONITOR|SLOWLOG GET|LATENCY DOCTOR|REPLICAOF 127.0.0.1 1|FAILOVER|SYNC',
      'CLIENT LIST|CLIENT KILL TYPE normal|CLIENT PAUSE 1000|CLIENT NO-EVICT on|ACL LIST|ACL WHOAMI|ACL LOG|ACL SETUSER taken +@all',
      'SCRIPT LOAD x|SCRIPT FLUSH|SCRIPT KILL|FUNCTION LIST|FUNCTION FLUSH|EVAL x 0|EVALSHA x 0|FCALL x 0|MODULE LIST|CLUSTER INFO',
      'SUBSCRIBE x|PSUBSCRIBE *|PUBLISH x y|MULTI|WATCH nubo:line|WAIT 0 1|COMMAND DOCS|PFADD x y|XADD x * a b|GETDEL x|MIGRATE h 1 k 0 1',
    ].flatMap((line) => line.split('|').map((words) => words.split(' ') as [string, ...string[]])),
  ]
  for (const attempt of attempts) {
    const answer = await taken.attempt(...attempt)
    expect([attempt, String(answer)]).toEqual([attempt, expect.stringMatching(/NOPERM|DEBUG command not allowed/)])
  }
  expect(await redis.lpop(theirs.commands)).toBe('secret')
  expect(await redis.lpop(theirs.questions)).toBe('secret')
})

it('piles up no more than one outbox of one mebibyte and one place in the line', async () => {
  const { outbox, ticket } = hostKeys(taken.id)
  await cloud.kill('conductor')
  const flood = 'x'.repeat(900_000)
  for (let time = 0; time < 50; time++) {
    await taken.attempt('SET', outbox, flood)
    await taken.attempt('LMOVE', ticket, lineKey, 'LEFT', 'RIGHT')
  }
  expect((await redis.lrange(lineKey, 0, -1)).filter((each) => each === taken.id).length).toBeLessThanOrEqual(1)
  expect(await redis.strlen(outbox)).toBe(flood.length)
  await taken.attempt('SET', outbox, 'x'.repeat(1_100_000))
  expect(await redis.strlen(outbox)).toBe(flood.length)
  await cloud.startService('conductor')
  await until('the conductor has taken it', async () => (await redis.exists(outbox)) === 0)
})

it('forges nothing of another host, and its noise stops nobody', async () => {
  const before = await Promise.all([recordOf(servers.sound), hosts()])
  const sessions = Object.fromEntries(before[1].map(({ id, session }) => [id, session]))
  const guest = { serverId: servers.sound, incarnation: 1, powerState: 4, sequence: 1_000_000 }
  const changed = (hostId: HostId) => ({
    kind: 'guest-changed',
    hostId,
    sessionId: sessions[hostId],
    ...guest,
    cause: 'killed',
    detail: '',
  })
  const step = (
    await database.query<{ step: string; operation: string }>(
      `SELECT s.id AS step, s.operation_id AS operation FROM operation_steps s JOIN operations o ON o.id = s.operation_id
       WHERE o.server_id = $1 AND s.name = 'build'`,
      [servers.sound],
    )
  )[0]!
  const result = (hostId: HostId) => ({
    ...{
      kind: 'result',
      hostId,
      sessionId: sessions[hostId],
      sequence: 1_000_001,
      stepId: step.step,
      operationId: step.operation,
    },
    ...{ serverId: servers.sound, incarnation: 1, fence: 1 },
    outcome: { state: 'failed', powerState: 4, failure: { scope: 'host', message: 'forged' } },
  })
  const names = ['GET', 'OTHER']
  await taken.tell(
    redis,
    // In the other's name, signed with its own key; in its own name, about the other's server.
    ...[changed(sound.id), result(sound.id)].flatMap((each) => [taken.sealed(each, sound.id), taken.sealed(each)]),
    ...[changed(taken.id), result(taken.id)].map((each) => taken.sealed(each)),
    // Noise.
    ...names,
    '.',
    `${'A'.repeat(86)}.{}`,
    taken.sealed({ kind: 'no such kind' }),
    taken.sealed({ kind: 'answer', hostId: taken.id, questionId: '../../x', answer: { ok: true, value: 1 } }),
    JSON.stringify({ kind: 'hearing' }),
  )
  await taken.tell(redis, ...Array.from({ length: 5_000 }, () => '\u0000'))
  expect(await recordOf(servers.sound)).toEqual(before[0])
  expect(await hosts()).toEqual(before[1])
  await until('the operator can see it', async () => {
    const reasons = await refusalsOf(taken.id)
    return ['bad-signature', 'names-another-host', 'malformed'].every((reason) => reasons.includes(reason))
  })
  expect(await refusalsOf(sound.id)).toEqual([])
})

it('takes no name and no session of another, be it by a registration that was recorded', async () => {
  const before = await hosts()
  await taken.tell(redis, taken.sealed({ ...(await registration()), hostName: 'sound' }))
  expect((await hosts()).find(({ id }) => id === sound.id)).toEqual(before.find(({ id }) => id === sound.id))

  // Whoever reads along in Redis has a registration of the sound host; later it is worth nothing.
  await cloud.kill('agent-sound')
  await cloud.kill('conductor')
  const agent = cloud.startService('agent-sound')
  const { outbox, ticket } = hostKeys(sound.id)
  const recorded = await until('it registers', async () => await redis.get(outbox))
  await cloud.startService('conductor')
  await agent
  const after = await hosts()
  await until('the host is quiet', async () => (await redis.llen(ticket)) === 1)
  await redis.set(outbox, recorded)
  await redis.lmove(ticket, lineKey, 'LEFT', 'RIGHT')
  await until('it is refused', async () => (await refusalsOf(sound.id)).includes('replayed'))
  expect(await hosts()).toEqual(after)
})

/** A registration as the taken host would send it, with what it said last. */
async function registration(): Promise<Record<string, unknown>> {
  const inventory = { ...sampleInventory, totalVcpus: 100, totalMemoryMiB: 65_536, totalDiskGiB: 1_000 }
  const identity = { registrationId: newId<Id<'registration'>>(systemRandom), hostId: taken.id, hostName: 'taken' }
  return { kind: 'register', ...identity, address: '127.0.0.1', bootId: 'x', inventory, guests: [] }
}

it('answers no question but its own', async () => {
  await cloud.kill('agent-sound')
  const asked = demo.compute<{ output: string }>('POST', `/servers/${servers.sound}/action`, {
    'os-getConsoleOutput': { length: 1 },
  })
  const question = await until('it is asked', async () => (await redis.lrange(hostKeys(sound.id).questions, 0, -1))[0])
  const { questionId } = JSON.parse(question!.slice(question!.indexOf('.') + 1)) as { questionId: string }
  await taken.tell(
    redis,
    taken.sealed({ kind: 'answer', hostId: taken.id, questionId, answer: { ok: true, value: { output: 'forged' } } }),
    taken.sealed({ kind: 'answer', hostId: sound.id, questionId, answer: { ok: true, value: { output: 'forged' } } }),
  )
  await cloud.startService('agent-sound')
  const answer = await asked
  expect(JSON.stringify(answer.body)).not.toContain('forged')
})

it('fetches the image that it was given a credential for, and nothing else', async () => {
  const signer = new ImageCredentialSigner(readFileSync(join(cloud.directory, 'key.pem'), 'utf8'))
  const grant = { imageId: images.known as ImageId, hostId: taken.id, expiresAtMs: Date.now() + 60_000 }
  const credential = await signer.sign(grant)
  const bytes = (id: string) => `${cloud.imageUrl}/nubo/v1/images/${id}/file`
  const routes = [`${cloud.imageUrl}/v2/images`, `${cloud.imageUrl}/v2/images/${images.known}/file`, bytes(images.other)]
  const computed = ['/v2.1/servers', '/v2.1/os-hypervisors', '/nubo/v1/host-keys', '/v3/users'].map(
    (path) => `${cloud.apiUrl}${path}`,
  )
  const status = async (url: string, headers: Record<string, string>) => (await fetch(url, { headers })).status
  const bearer = { authorization: `Bearer ${credential}` }
  expect(await status(bytes(images.known), bearer)).toBe(200)
  for (const url of [...routes, ...computed])
    for (const headers of [bearer, { 'x-auth-token': credential }]) {
      const answered = await status(url, headers)
      expect({ url, answered, refused: [401, 403].includes(answered) }).toMatchObject({ refused: true })
    }
})

it('is commanded by the control plane alone, even where somebody else has Redis', async () => {
  const { commands } = hostKeys(sound.id)
  const destroy = JSON.stringify({ kind: 'destroy', serverId: servers.sound })
  for (const text of [destroy, `x.${destroy}`, taken.sealed({ kind: 'destroy', serverId: servers.sound }, sound.id)])
    await redis.rpush(commands, text)
  await until('they were taken', async () => (await redis.llen(commands)) === 0)
  await until('they were refused', async () => (await cloud.logOf('agent-sound')).split('did not sign').length > 3)
  expect(await statusOf(servers.sound)).toBe('ACTIVE')
})

it('is not heard once its key was taken away, and heard again under another', async () => {
  const keyUrl = `${cloud.apiUrl}/nubo/v1/host-keys/${taken.id}`
  expect((await admin.call('DELETE', keyUrl)).status).toBe(204)
  await until('it is refused', async () => {
    await taken.tell(redis, taken.sealed(await registration()))
    return (await refusalsOf(taken.id)).includes('not-enrolled')
  })
  const directory = join(cloud.hostDirectories.get('taken')!, 'identity')
  rmSync(directory, { recursive: true })
  const { publicKeyPem } = ensureHostKey(directory)
  const enrolled = await admin.call('PUT', keyUrl, { host_key: { public_key: publicKeyPem } })
  expect([enrolled.status, await refusalsOf(taken.id)]).toEqual([200, []])
  await cloud.startService('agent-taken')
  const after = await hosts()
  await taken.tell(redis, taken.sealed(await registration()))
  expect(await hosts()).toEqual(after)
  expect(await refusalsOf(taken.id)).toContain('bad-signature')
})

it('leaves a cloud that works', async () => {
  expect([await statusOf(servers.sound), await statusOf(servers.taken)]).toEqual(['ACTIVE', 'ACTIVE'])
  const { id } = await created('afterwards')
  for (const each of [id, servers.sound, servers.taken]) {
    expect((await demo.compute('DELETE', `/servers/${each}`)).status).toBe(204)
    await until(`${each} is gone`, async () => (await demo.compute('GET', `/servers/${each}`)).status === 404)
  }
})
