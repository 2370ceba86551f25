import { reportsQueue, result, type Result } from '@nubo/contract'
import { powerStates } from '@nubo/domain'
import type { Chance } from '../core/chance.js'
import type { Cloud } from './cloud.js'
import type { SimulatedHost } from './host.js'

type Named = Pick<Result, 'stepId' | 'operationId' | 'serverId' | 'incarnation' | 'fence' | 'sessionId'>

/** All that names what another host is doing: more than any host could know. */
const readOpenSteps = `
  SELECT s.id AS "stepId", o.id AS "operationId", v.id AS "serverId", v.incarnation, s.fence, h.session_id AS "sessionId"
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id JOIN hosts h ON h.id = s.host_id
  WHERE s.state = 'open' AND s.host_id <> $1 AND h.session_id IS NOT NULL ORDER BY s.opened_at, s.id`

/** A host says how what another one is doing has ended. It can only sign as itself: who carries reports sees to that. */
export function forgeResult({ world }: Cloud, liar: SimulatedHost, chance: Chance): void {
  const named = chance.pick(world.engine.look<Named>(readOpenSteps, [liar.id], world.simulation.nowMs))
  if (!named) return
  const outcome = chance.happens(0.5)
    ? { state: 'done', powerState: powerStates.running }
    : { state: 'failed', powerState: powerStates.noState, failure: { scope: 'host', message: 'a lie' } }
  world.trace.note(liar.name, `lies about ${named.serverId}`)
  world.redis.put(reportsQueue, result.parse({ kind: 'result', hostId: liar.id, sequence: 1_000, ...named, outcome }))
}
