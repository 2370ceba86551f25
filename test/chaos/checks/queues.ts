import { redisOf } from '@nubo/deploy/installation'
import { waitFor } from '@nubo/deploy'
import { Redis } from 'ioredis'
import type { Check } from './check.js'

/** What a process that was killed had taken is found by a look every 30 s, and dropped. */
const droppedWithinMs = 90_000

/** A hint is dropped when it was taken, however that ended: what nobody drops fills Redis in the end. */
export const queuesKeepNothing: Check = {
  name: 'no message stays in Redis',
  async find({ world }) {
    const redis = new Redis({ ...redisOf(world.cloud.installation, 'operator') })
    try {
      const first = await messagesIn(redis)
      let left = first
      const allGone = async () => {
        const now = new Set(await messagesIn(redis))
        return (left = first.filter((key) => now.has(key))).length === 0
      }
      await waitFor('messages are dropped', allGone, { timeoutMs: droppedWithinMs, everyMs: 1_000 }).catch(() => undefined)
      return left
    } finally {
      redis.disconnect()
    }
  },
}

/** A job of BullMQ's has a number at its end; what passes between hosts and us lies in keys of its own. */
async function messagesIn(redis: Redis): Promise<string[]> {
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000)
    found.push(...keys.filter((key) => /:\d+$|:(answer|commands|questions|outbox):/.test(key)))
    cursor = next
  } while (cursor !== '0')
  return found
}
