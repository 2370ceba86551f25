import { beforeEach, expect, it } from '@jest/globals'
import { systemClock, type Clock } from '@nubo/kernel'
import { createLogger } from '../logger.js'
import { serveMetrics } from './listener.js'
import { Metrics } from './metrics.js'
import { queueMetrics } from './queue-metrics.js'

let nowMs: number
let lines: string[]
let metrics: Metrics
/** False where whoever waits has waited at once. */
let sleeps: boolean

beforeEach(() => {
  nowMs = 0
  sleeps = true
  lines = []
  const logger = createLogger('test', 'warn', { write: (line) => void lines.push(line) })
  const sleep: Clock['sleep'] = async (ms, signal) => (sleeps ? await systemClock.sleep(ms, signal) : undefined)
  metrics = new Metrics({ ...systemClock, monotonicMs: () => nowMs, sleep }, logger)
})

it('tells what was counted, beside the process itself', async () => {
  metrics.counter({ name: 'nubo_things_total', help: 'Things', labels: ['kind'] }).inc({ kind: 'new' })
  const text = await metrics.text()
  expect(text).toContain('nubo_things_total{kind="new"} 1')
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
    expect(text).toContain(`# TYPE ${name} `)
})

it('finds out what has to be asked for once in five seconds, however many look', async () => {
  const gauge = metrics.gauge({ name: 'nubo_waiting', help: 'What waits' })
  let surveys = 0
  metrics.beforeTelling('waiting', () => gauge.set(++surveys))
  await Promise.all([metrics.text(), metrics.text()])
  nowMs = 4_999
  expect(await metrics.text()).toContain('nubo_waiting 1')
  nowMs = 5_000
  expect(await metrics.text()).toContain('nubo_waiting 2')
})

it('tells the rest where something could not be found out, and counts that', async () => {
  metrics.beforeTelling('database', () => Promise.reject(new Error('gone')))
  expect(await metrics.text()).toContain('nubo_survey_failures_total{survey="database"} 1')
  expect(lines[0]).toContain('gone')
})

// A PostgreSQL that kept silent held the figures for twenty seconds: whoever collects them took the conductors for dead.
it('tells the rest where something is late, and does not ask again before that one answered', async () => {
  let [asked, answer] = [0, (): void => undefined]
  metrics.beforeTelling('database', () => {
    asked++
    return new Promise((resolve) => (answer = resolve))
  })
  sleeps = false
  for (nowMs = 0; nowMs <= 10_000; nowMs += 5_000) expect(await metrics.text()).toContain('process_cpu_seconds_total')
  nowMs = 10_000
  expect(await metrics.text()).toContain('nubo_survey_failures_total{survey="database"} 3')
  expect(asked).toBe(1)
  answer()
  await systemClock.sleep(0)
  sleeps = true
  nowMs = 20_000
  const text = metrics.text()
  answer()
  expect(await text).toContain('nubo_survey_failures_total{survey="database"} 3')
  expect(asked).toBe(2)
})

it('names the queues of all hosts alike', async () => {
  const figures = queueMetrics(metrics)
  figures.cast('compute-1b4e28ba-2fa1-11d2-883f-0016d3cca427', 2, true)
  figures.cast('compute-7c9e6679-7425-40de-944b-e07fc1f90ae7', 1, true)
  figures.cast('placement', 3, false)
  figures.handled('placement', 0.01, true)
  const text = await metrics.text()
  expect(text).toContain('nubo_messages_cast_total{queue="compute",outcome="cast"} 3')
  expect(text).toContain('nubo_messages_cast_total{queue="placement",outcome="failed"} 3')
  expect(text).toContain('nubo_message_duration_seconds_count{queue="placement",outcome="done"} 1')
})

it('serves them at an address of their own, and nothing else', async () => {
  const server = await serveMetrics(metrics, { host: '127.0.0.1', port: 0 })
  const { port } = server.address() as { port: number }
  const told = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect([told.status, told.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(await told.text()).toContain('process_cpu_seconds_total')
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
  expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404)
  server.close()
  server.closeAllConnections()
})
