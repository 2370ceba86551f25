import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import { identify, isAlive } from '../process/identity.js'
import type { RedisAddress } from './redis-address.js'
import { type PrivateRedis, startRedis } from './redis.js'
import { accessList } from './redis-program.js'

let redis: PrivateRedis | undefined
afterEach(async () => {
  await redis?.stop()
  redis = undefined
})

async function ask(address: RedisAddress, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis({ ...address, lazyConnect: true, retryStrategy: null, enableReadyCheck: false })
  client.on('error', () => {})
  try {
    await client.connect()
    return await client.call(...command)
  } finally {
    const closed = new Promise((resolve) => client.once('end', resolve))
    client.disconnect()
    if (client.status !== 'end') await closed
  }
}

describe('a private Redis', () => {
  it('answers to its password alone and leaves nothing behind', async () => {
    redis = await startRedis()
    expect(await ask(redis.address, 'PING')).toBe('PONG')
    await expect(ask({ ...redis.address, password: 'wrong' }, 'PING')).rejects.toThrow()
    expect(await ask(redis.address, 'CONFIG', 'GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    const server = identify(redis.pid!)!
    expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).not.toContain(redis.address.password)
    if (process.getuid!() === 0) expect(statSync(`/proc/${server.pid}`).uid).not.toBe(0)
    await redis.stop()
    expect(isAlive(server)).toBe(false)
    expect(existsSync(dirname(redis.logFile))).toBe(false)
  })

  it('keeps every write through a restart when it is persistent', async () => {
    redis = await startRedis({ persistent: true })
    for (let i = 0; i < 50; i++) await ask(redis.address, 'INCR', 'count')
    await redis.halt()
    await redis.start()
    expect(await ask(redis.address, 'GET', 'count')).toBe('50')
    await redis.kill()
    await redis.start()
    expect(await ask(redis.address, 'GET', 'count')).toBe('50')
  })

  it('holds other users to their rules', async () => {
    redis = await startRedis({ users: [{ name: 'host-1', password: 'secret', rules: '~own:* +@read +@write +@connection' }] })
    const address = { ...redis.address, username: 'host-1', password: 'secret' }
    expect(await ask(address, 'SET', 'own:thing', '1')).toBe('OK')
    await expect(ask(address, 'GET', 'other:thing')).rejects.toThrow(/NOPERM/)
    await expect(ask(address, 'CONFIG', 'GET', '*')).rejects.toThrow(/NOPERM/)
  })
})

describe('accessList', () => {
  it('shows no password', () => {
    const text = accessList([{ name: 'a', password: 'very secret', rules: '~*' }])
    expect(text).not.toContain('very secret')
    expect(text).toMatch(/^user default reset off$/m)
  })
})
