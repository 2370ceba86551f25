import autocannon from 'autocannon'
import { systemClock } from '@nubo/kernel'
import { CloudClient } from '../support/client.js'
import type { Cloud } from '../support/cloud.js'
import { median, p99, rounded } from './statistics.js'

const secondsEach = 4

/** Requests a second and latency of one GET at so many connections. */
export async function requestRate(client: CloudClient, url: string, connections: number) {
  const headers = { 'X-Auth-Token': client.token!, 'OpenStack-API-Version': 'compute 2.96' }
  await autocannon({ url, headers, connections, duration: 1 })
  const result = await autocannon({ url, headers, connections, duration: secondsEach })
  const failed = result.non2xx + result.errors
  if (failed > 0) throw new Error(`${url}: ${failed} requests failed`)
  return { connections, perSecond: rounded(result.requests.average), p50Ms: result.latency.p50, p99Ms: result.latency.p99 }
}

/** Tokens by password, and how other requests fare meanwhile. */
export async function tokenRate(cloud: Cloud, client: CloudClient) {
  const alone = await requestRate(client, `${cloud.apiUrl}/v2.1/servers`, 1)
  const tokens = { one: await tokensFor(cloud, 1), eight: await tokensFor(cloud, 8) }
  const [beside] = await Promise.all([
    requestRate(client, `${cloud.apiUrl}/v2.1/servers`, 1),
    tokensFor(cloud, 1, secondsEach + 1),
  ])
  return { tokens, readsAlone: alone, readsBesideTokens: beside }
}

async function tokensFor(cloud: Cloud, connections: number, seconds = secondsEach) {
  const milliseconds: number[] = []
  const endMs = systemClock.monotonicMs() + seconds * 1000
  const one = async () => {
    while (systemClock.monotonicMs() < endMs) {
      const startMs = systemClock.monotonicMs()
      await cloud.client().login('demo', cloud.passwords.demo, 'demo')
      milliseconds.push(systemClock.monotonicMs() - startMs)
    }
  }
  await Promise.all(Array.from({ length: connections }, one))
  return {
    connections,
    perSecond: rounded(milliseconds.length / seconds),
    p50Ms: rounded(median(milliseconds)),
    p99Ms: rounded(p99(milliseconds)),
  }
}
