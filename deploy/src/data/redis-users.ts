import { answerKey, askedKey, hostKeys, keyPrefix, lineKey, outboxPattern } from '@nubo/queue/host-keys'

/** Whoever of the control plane uses Redis, and the operator, who looks at it. The image service does without. */
export const redisRoles = ['api', 'scheduler', 'conductor', 'operator'] as const
export type RedisRole = (typeof redisRoles)[number]

const ofAnyHost = hostKeys('*')
/** Of BullMQ's queues: hints for schedulers, and for conductors. */
const placement = `~${keyPrefix}:placement:*`
const operations = `~${keyPrefix}:operations:*`

/** INFO, because client libraries ask for it whenever they connect; workers give their connection a name. */
const program = 'resetchannels -@all +ping +info +client|setname'
// What BullMQ's scripts call: Redis holds a script to the commands and keys of whoever runs it.
const bullMqCast =
  '+eval +evalsha +exists +hget +hgetall +hmget +hmset +hset +incr +lindex +llen +lpush +lrange +xadd +zadd +zcard'
const bullMqWork =
  '+bzpopmin +del +get +hdel +hexists +hincrby +lrem +ltrim +pexpire +pttl +rpoplpush +rpush +sadd +scard +set +smembers +srem ' +
  '+xtrim +zpopmin +zrange +zrangebyscore +zrem +zscore'

/** A selector of Redis 7: what else may be done, with these keys alone. */
const also = (keys: readonly string[], commands: string) => `(${keys.join(' ')} ${commands})`

const castHints = also([placement, operations], bullMqCast)
const workOn = (queue: string) => also([queue], bullMqWork)
const commandHosts = also([`~${ofAnyHost.commands}`], '+rpush +ltrim +llen')
const askHosts = [
  also([`%W~${ofAnyHost.questions}`], '+rpush +expire'),
  also([`%W~${askedKey('*', '*')}`], '+set'),
  also([`~${answerKey('*', '*')}`], '+blpop'),
].join(' ')
const hearHosts = [
  also([`~${lineKey}`], '+blmpop +lpos +llen +lrange +lrem +rpush'),
  also([`~${ofAnyHost.outbox}`], '+getdel'),
  also([`~${outboxPattern}`], '+scan'),
  also([`%W~${ofAnyHost.ticket}`], '+del +rpush'),
  also([`~${askedKey('*', '*')}`], '+getdel'),
  also([`%W~${answerKey('*', '*')}`], '+rpush +expire'),
].join(' ')

/** What each role may do, in Redis's ACL language: nothing that its program does not do. */
export const roleRules: Record<RedisRole, string> = {
  api: `${program} ${castHints} ${commandHosts} ${askHosts}`,
  scheduler: `${program} ${castHints} ${workOn(placement)} ${commandHosts}`,
  // It calls its own waiting connections back before it leaves.
  conductor: `${program} +client|id +client|unblock ${castHints} ${workOn(operations)} ${commandHosts} ${askHosts} ${hearHosts}`,
  // Looks at everything and changes nothing. Users are changed in their file, which `up` writes.
  operator: `%R~* resetchannels -@all +@read +ping +info +dbsize +client|list +slowlog|get +memory|usage +memory|stats +acl|whoami +acl|log`,
}

/**
 * What the agent of one host may do: take its own commands and questions, fill its own outbox, and move its own ticket into
 * the line. It can neither read the line nor make a ticket, and no key of its own can grow beyond one value (see
 * libs/queue/README.md). No scripts: who may run one may hold up Redis for everybody.
 */
export function hostRules(hostId: string): string {
  const { commands, questions, outbox, ticket } = hostKeys(hostId)
  return [
    'resetchannels -@all +ping',
    also([`~${commands}`, `~${questions}`], '+blmpop'),
    also([`%W~${outbox}`], '+set'),
    also([`~${ticket}`, `%W~${lineKey}`], '+blmove +lmove'),
  ].join(' ')
}
