import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { hostRules, redisRoles, roleRules, startRedis } from '@nubo/deploy'
import { newId, systemRandom, type HostId } from '@nubo/kernel'
import { answerKey, askedKey, hostKeys, lineKey } from '@nubo/queue'
import { Redis } from 'ioredis'

const hostId = newId<HostId>(systemRandom)
const { commands, questions, outbox, ticket } = hostKeys(hostId)
const answer = answerKey(hostId, 'q')
const asked = askedKey(hostId, 'q')
const users = [...redisRoles, 'host'] as const
type User = (typeof users)[number]

/** Every kind of thing that is done in Redis, and who may. */
const table: [string, string, readonly User[]][] = [
  ['cast a hint', 'LPUSH nubo:placement:wait 1', ['api', 'scheduler', 'conductor']],
  ['take a hint', 'RPOPLPUSH nubo:placement:wait nubo:placement:active', ['scheduler']],
  ['take a hint of what the control plane does itself', 'RPOPLPUSH nubo:operations:wait nubo:operations:active', ['conductor']],
  ['run a script', 'EVAL return 0', ['api', 'scheduler', 'conductor']],
  ['see what waits', 'LLEN nubo:placement:wait', ['api', 'scheduler', 'conductor', 'operator']],
  ['command a host', `RPUSH ${commands} x`, ['api', 'scheduler', 'conductor']],
  ['take commands', `BLMPOP 0.01 1 ${commands} LEFT`, ['host']],
  ['read commands', `LRANGE ${commands} 0 -1`, ['operator']],
  ['ask a host', `RPUSH ${questions} x`, ['api', 'conductor']],
  ['say that an answer is awaited', `SET ${asked} x`, ['api', 'conductor']],
  ['see whether it is', `GETDEL ${asked}`, ['conductor']],
  ['take questions', `BLMPOP 0.01 1 ${questions} LEFT`, ['host']],
  ['wait for an answer', `BLPOP ${answer} 0.01`, ['api', 'conductor']],
  ['give an answer', `RPUSH ${answer} x`, ['conductor']],
  ['tell something', `SET ${outbox} x`, ['host']],
  ['read what is told', `GET ${outbox}`, ['operator']],
  ['take what is told', `GETDEL ${outbox}`, ['conductor']],
  ['stand in line', `LMOVE ${ticket} ${lineKey} LEFT RIGHT`, ['host']],
  ['call the next in line', `BLMPOP 0.01 1 ${lineKey} LEFT`, ['conductor']],
  ['make a ticket', `RPUSH ${ticket} ${hostId}`, ['conductor']],
  ['read anything', 'GET anything', ['operator']],
  ['write anything', 'SET anything x', []],
  ['remove anything', 'DEL anything', []],
  ['look over the keys', 'SCAN 0', ['conductor', 'operator']],
  ['see who is there', 'CLIENT LIST', ['operator']],
  ...[
    'FLUSHALL|FLUSHDB|CONFIG SET maxmemory 0|CONFIG GET *|ACL SETUSER x|ACL LIST|SHUTDOWN|SCRIPT FLUSH|SCRIPT KILL|FUNCTION FLUSH',
    'CLIENT KILL TYPE normal|CLIENT PAUSE 1|MONITOR|REPLICAOF a 1|SWAPDB 0 1|SUBSCRIBE x|PUBLISH x y|SAVE|MIGRATE h 1 k 0 1|DEBUG JMAP',
  ].flatMap((line) => line.split('|').map((command): [string, string, User[]] => ['do without', command, []])),
]

let redis: Awaited<ReturnType<typeof startRedis>>
const clients = new Map<User, Redis>()

beforeAll(async () => {
  const password = 'secret'
  const roles = redisRoles.map((name) => ({ name: name as string, password, rules: roleRules[name] }))
  redis = await startRedis({ users: [...roles, { name: 'host', password, rules: hostRules(hostId) }] })
  for (const username of users)
    clients.set(username, new Redis({ ...redis.address, username, password, enableReadyCheck: false, disableClientInfo: true }))
})
afterAll(async () => {
  for (const client of clients.values()) client.disconnect()
  await redis.stop()
})

async function may(user: User, command: string): Promise<boolean> {
  // A script is one word that has spaces, and has no keys.
  const words = command.startsWith('EVAL') ? ['EVAL', command.slice(5), '0'] : command.split(' ')
  const answered = await clients
    .get(user)!
    .call(...(words as [string, ...string[]]))
    .catch((error: Error) => error)
  return !(answered instanceof Error && /NOPERM|DEBUG command not allowed/.test(answered.message))
}

describe('in Redis', () => {
  it.each(table)('%s (%s) may %j', async (_, command, whoMay) => {
    const allowed = await Promise.all(users.map(async (user) => ((await may(user, command)) ? [user] : [])))
    expect(allowed.flat().toSorted()).toEqual([...whoMay].toSorted())
  })
})
