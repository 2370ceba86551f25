import { afterAll, describe, jest } from '@jest/globals'
import { startRedis } from '@nubo/deploy'
import { overRedis } from './harness/carriers.js'
import { deliveries } from './harness/deliveries.js'
import { throughTrials } from './harness/harness.js'
import { kills } from './harness/kills.js'
import { subjects } from './harness/subjects.js'

// The other specs of the harness have their messages carried in memory. Here BullMQ and Redis carry them, as in production: those
// of a create come twice, late and backwards. Where NUBO_HARNESS_REDIS names a kind of operation (server.create), that one is put
// through it in full, with its processes killed before each of their calls, which takes long: a ticket that a conductor
// took with it is missed for seconds of real time.

const inFull = process.env['NUBO_HARNESS_REDIS']
const chosen = subjects.filter(({ definition }) => definition.kind === (inFull ?? 'server.create'))
jest.setTimeout(inFull ? 3_600_000 : 300_000)

let redis: Awaited<ReturnType<typeof startRedis>> | undefined
const openCarrier = async () => {
  redis ??= await startRedis({ persistent: false })
  return overRedis(redis.address)
}
afterAll(() => redis?.stop())

describe('over Redis an operation ends as ever', () => {
  throughTrials((_, run) => [...deliveries(run.outcome), ...(inFull ? kills(run) : [])], {
    chosen,
    openCarrier,
  })
})
