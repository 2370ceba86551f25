import autocannon from 'autocannon'
import type { CloudClient } from '../support/client.js'
import type { Figure } from './figures.js'
import { processorFigures, processorTime } from './processor-time.js'
import type { Stage } from './stage.js'
import { median, p99 } from './statistics.js'

const warmUpSeconds = 1
const defaultSeconds = 4
/** DESIGN's aims beside OpenStack's figures at so many connections. */
const timesOpenStack = { 1: 10, 8: 30 } as const

export interface RequestRate {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** How many were answered, warming up included. */
  requests: number
}

/** Requests a second of one GET, and their latency. Throws if one of them fails. */
export async function requestRate(
  client: CloudClient,
  url: string,
  connections: number,
  seconds = defaultSeconds,
): Promise<RequestRate> {
  const headers = { 'X-Auth-Token': client.token!, 'OpenStack-API-Version': 'compute 2.96' }
  const warmUp = await autocannon({ url, headers, connections, duration: warmUpSeconds })
  const milliseconds: number[] = []
  // Its own histogram counts whole milliseconds.
  const setupClient = (each: autocannon.Client) =>
    void each.on('response', (_status, _bytes, responseMs) => milliseconds.push(responseMs))
  const { non2xx, errors, duration } = await autocannon({ url, headers, connections, duration: seconds, setupClient })
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} requests were refused and ${errors} failed`)
  const requests = warmUp['2xx'] + milliseconds.length
  return { perSecond: milliseconds.length / duration, p50Ms: median(milliseconds), p99Ms: p99(milliseconds), requests }
}

/** At 1 and at 8 connections, beside what OpenStack did. */
export async function requestFigures({ cloud, demo }: Stage, url: string, openStack: Record<1 | 8, number>): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const connections of [1, 8] as const) {
    const cost = await processorTime(
      cloud,
      () => requestRate(demo, url, connections),
      ({ requests }) => requests,
    )
    const { perSecond, p50Ms, p99Ms } = cost.result
    const at = connections === 1 ? 'at 1 connection' : 'at 8 connections'
    const aim = { atLeast: openStack[connections] * timesOpenStack[connections] }
    figures.push({ name: at, value: perSecond, unit: '/s', aim, openStack: openStack[connections] })
    figures.push({ name: `  latency ${at}`, value: p50Ms, p99: p99Ms, unit: 'ms' })
    figures.push(...processorFigures(`a request ${at}`, cost))
  }
  return figures
}
