import { beforeEach, expect, it } from '@jest/globals'
import { CloudError, systemClock } from '@nubo/kernel'
import { Health } from './health.js'
import { createLogger } from './logger.js'
import { Metrics } from './metrics/metrics.js'
import { Pressure } from './pressure.js'

let nowMs: number
let lines: string[]
let health: Health
let pressure: Pressure

beforeEach(() => {
  nowMs = 0
  lines = []
  const clock = { ...systemClock, monotonicMs: () => nowMs }
  const logger = createLogger('test', 'warn', { write: (line) => void lines.push(line) })
  pressure = new Pressure(new Metrics(clock, logger))
  health = new Health(clock, logger, pressure)
})

const gone = () => Promise.reject(new CloudError('Unavailable', 'The database cannot be reached.'))
const fine = () => Promise.resolve()

it('is ready while all that it needs works, and says what does not', async () => {
  health.register('queue', fine)
  expect(await health.report()).toEqual({ ready: true, checks: { queue: 'ok' } })
  nowMs += 1_000
  health.register('database', gone)
  expect(await health.report()).toEqual({
    ready: false,
    checks: { queue: 'ok', database: 'The database cannot be reached.' },
  })
})

it('is ready without what it can do without for a while, and tells of it', async () => {
  health.register('queue', gone, { needed: false })
  expect(await health.report()).toEqual({ ready: true, checks: { queue: 'The database cannot be reached.' } })
})

it('looks once for all who ask within a second, and sooner again where it is not ready', async () => {
  let looks = 0
  let look = fine
  health.register('database', () => {
    looks++
    return look()
  })
  await Promise.all([health.report(), health.report(), health.report()])
  nowMs += 999
  await health.report()
  expect(looks).toBe(1)
  nowMs += 1
  look = gone
  await health.report()
  nowMs += 100
  look = fine
  expect((await health.report()).ready).toBe(true)
  expect(looks).toBe(3)
})

it('keeps to itself what an error says that is not meant for people, and logs it once', async () => {
  health.register('database', () => Promise.reject(new Error('password authentication failed for user "nubo"')))
  expect((await health.report()).checks).toEqual({ database: 'it does not work; the log says why' })
  nowMs += 1_000
  await health.report()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('password authentication failed')
})

it('says why it takes on no more work, and is ready all the same', async () => {
  pressure.watch(() => ({ code: 'placements', words: '5,000 servers wait for a host' }))
  expect(await health.report()).toEqual({ ready: true, checks: {}, refusing: '5,000 servers wait for a host' })
})

it('is not ready once it stops', async () => {
  health.stop()
  expect(await health.report()).toEqual({ ready: false, checks: { service: 'it is stopping' } })
})
