import { PasswordHasher } from '@nubo/auth'
import { systemClock, systemRandom } from '@nubo/kernel'
import type { CloudClient } from '../support/client.js'
import type { Cloud } from '../support/cloud.js'
import type { Figure } from './figures.js'
import { requestRate, type RequestRate } from './requests.js'
import { median, p99 } from './statistics.js'
import type { Stage } from './stage.js'

const pairs = 40
const secondsEach = 4
const rounds = 3

/** Tokens by password: how many, what they cost beyond the hash, and how others' requests fare meanwhile. */
export async function benchTokens({ cloud, demo }: Stage): Promise<Figure[]> {
  const [one, eight] = [await tokensFor(cloud, 1, secondsEach), await tokensFor(cloud, 8, secondsEach)]
  return [
    { name: 'at 1 connection', value: one.length / secondsEach, unit: '/s', openStack: 4.5 },
    { name: '  latency at 1 connection', value: median(one), p99: p99(one), unit: 'ms' },
    { name: 'at 8 connections', value: eight.length / secondsEach, unit: '/s', openStack: 8.6 },
    { name: '  latency at 8 connections', value: median(eight), p99: p99(eight), unit: 'ms' },
    ...(await beyondTheHash(cloud)),
    ...(await othersMeanwhile(cloud, demo)),
  ]
}

/** A token and a bare hash in turn, so that both see the same machine. */
async function beyondTheHash(cloud: Cloud): Promise<Figure[]> {
  const hasher = new PasswordHasher(systemRandom)
  const stored = await hasher.hash(cloud.passwords.demo)
  const tokenMs: number[] = []
  const hashMs: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    tokenMs.push(await timed(() => login(cloud)))
    hashMs.push(await timed(() => hasher.matches(cloud.passwords.demo, stored)))
  }
  const beyond = median(tokenMs.map((ms, index) => ms - hashMs[index]!))
  return [
    { name: 'the bare hash (argon2id)', value: median(hashMs), p99: p99(hashMs), unit: 'ms' },
    { name: 'a token beyond its hash', value: beyond, unit: 'ms', aim: { atMost: 3 } },
  ]
}

async function othersMeanwhile(cloud: Cloud, client: CloudClient): Promise<Figure[]> {
  const read = () => requestRate(client, `${cloud.apiUrl}/v2.1/servers`, 1, secondsEach)
  const alone: RequestRate[] = []
  const beside: RequestRate[] = []
  for (let round = 0; round < rounds; round++) {
    alone.push(await read())
    const enough = new AbortController()
    const tokens = loginUntil(cloud, () => enough.signal.aborted)
    beside.push(await read().finally(() => enough.abort()))
    await tokens
  }
  const over = (rates: RequestRate[], key: keyof RequestRate) => median(rates.map((rate) => rate[key]))
  return [
    { name: 'GET /servers alone, latency', value: over(alone, 'p50Ms'), p99: over(alone, 'p99Ms'), unit: 'ms' },
    { name: 'GET /servers beside logins, latency', value: over(beside, 'p50Ms'), p99: over(beside, 'p99Ms'), unit: 'ms' },
    { name: '  beside / alone', value: over(beside, 'p50Ms') / over(alone, 'p50Ms'), unit: 'x' },
    { name: '  beside / alone, p99', value: over(beside, 'p99Ms') / over(alone, 'p99Ms'), unit: 'x' },
  ]
}

async function tokensFor(cloud: Cloud, connections: number, seconds: number): Promise<number[]> {
  const endMs = systemClock.monotonicMs() + seconds * 1000
  const over = () => systemClock.monotonicMs() >= endMs
  const each = await Promise.all(Array.from({ length: connections }, () => loginUntil(cloud, over)))
  return each.flat()
}

/** One login after another; how long each took, in ms. */
async function loginUntil(cloud: Cloud, over: () => boolean): Promise<number[]> {
  const milliseconds: number[] = []
  while (!over()) milliseconds.push(await timed(() => login(cloud)))
  return milliseconds
}

function login(cloud: Cloud): Promise<CloudClient> {
  return cloud.client().login('demo', cloud.passwords.demo, 'demo')
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.monotonicMs()
  await work()
  return systemClock.monotonicMs() - startMs
}
