import type { Check } from './check.js'

interface OperationRow {
  requestId: string
  kind: string
  state: string
  message: string | null
}

const ended = ['done', 'failed', 'cancelled']

/** Promise 3: an accepted request is never lost, and ends: done, or with a reason that a person can act on. */
export const acceptedRequestsEnded: Check = {
  name: 'every accepted request ended, done or with a reason',
  async find({ world, ledger }) {
    const accepted = ledger.entries.filter(({ answered, repeated }) => answered === 'accepted' && !repeated)
    const rows = await world.database.query<OperationRow>(
      `SELECT request_id AS "requestId", kind, state, message FROM operations WHERE request_id = ANY($1::text[])`,
      [accepted.map(({ requestId }) => requestId ?? '')],
    )
    const byRequest = new Map(rows.map((row) => [row.requestId, row]))
    const deleted = await world.database.query<{ id: string }>('SELECT id FROM servers WHERE deleted_at IS NOT NULL')
    const gone = new Set(deleted.map(({ id }) => id))
    return accepted.flatMap(({ kind, requestId, serverId }) => {
      const about = `${kind} of ${serverId} (${requestId})`
      const operation = byRequest.get(requestId ?? '')
      // Asked for twice, a server is deleted once.
      if (!operation && kind === 'delete' && gone.has(serverId!)) return []
      if (!operation) return [`${about} was accepted and is recorded nowhere`]
      if (!ended.includes(operation.state)) return [`${about} is still ${operation.state}`]
      if (operation.state !== 'done' && !operation.message) return [`${about} ended as ${operation.state}, and nobody says why`]
      return []
    })
  },
}

/** A cloud in which everything fails for a reason breaks no promise, and is of no use to anybody. */
export const moreWasDoneThanFailed: Check = {
  name: 'of each kind of request more was done than failed',
  async find({ world, ledger }) {
    const accepted = ledger.entries.flatMap(({ answered, requestId }) =>
      answered === 'accepted' && requestId ? [requestId] : [],
    )
    const kinds = await world.database.query<{ kind: string; done: number; failed: number }>(
      `SELECT kind, count(*) FILTER (WHERE state = 'done')::int AS done, count(*) FILTER (WHERE state = 'failed')::int AS failed
       FROM operations WHERE request_id = ANY($1::text[]) GROUP BY kind`,
      [accepted],
    )
    if (kinds.every(({ done }) => done === 0)) return ['nothing was done']
    return kinds.flatMap(({ kind, done, failed }) => (failed > done ? [`${kind}: ${failed} failed, and ${done} were done`] : []))
  },
}

/** A create whose answer was lost was taken or was not: if it was, it ended like any other. */
export const nothingIsLive: Check = {
  name: 'no operation is under way, and no step open',
  async find({ world }) {
    const rows = await world.database.query<{
      kind: string
      state: string
      server: string
      step: string | null
      seconds: number
    }>(
      `SELECT o.kind, o.state, o.server_id AS server, s.name || ' ' || s.direction || ' (' || s.hints || ' hints)' AS step,
         extract(epoch FROM clock_timestamp() - o.started_at)::float8 AS seconds
       FROM operations o LEFT JOIN operation_steps s ON s.operation_id = o.id AND s.state = 'open'
       WHERE o.finished_at IS NULL OR s.id IS NOT NULL`,
    )
    return rows.map(
      ({ kind, state, server, step, seconds }) => `${kind} of ${server}: ${state} since ${Math.round(seconds)} s, at ${step}`,
    )
  },
}

/** Promise 4. Names are unique in a run, and each is asked for under one key, however often. */
export const keysMadeOneServer: Check = {
  name: 'the same Idempotency-Key gave the same server',
  async find({ world, ledger }) {
    const rows = await world.database.query<{ id: string; name: string }>(
      `SELECT id, name FROM servers WHERE name LIKE 'chaos-%'`,
    )
    const byName = Map.groupBy(rows, ({ name }) => name)
    const several = [...byName].flatMap(([name, servers]) =>
      servers.length > 1 ? [`${servers.length} servers are ${name}`] : [],
    )
    const told = ledger.entries.filter(({ kind, answered }) => kind === 'create' && answered === 'accepted')
    const others = told.filter(({ name, serverId }) => byName.get(name!)?.[0]?.id !== serverId)
    return [...several, ...others.map(({ name, serverId }) => `${name} was said to be ${serverId}, of which there is no record`)]
  },
}

/** What the API must never answer, whatever is broken behind it. */
export const answersWereHonest: Check = {
  name: 'the API answered nothing but what was so',
  async find({ ledger }) {
    const broken = ledger.entries.filter(({ answered }) => answered === 'broken')
    return broken.map(({ kind, status, words, at }) => `${at} ${kind}: ${status} ${words}`)
  },
}

export const serversAreSettled: Check = {
  name: 'no server is in between two states, and an error has a reason',
  async find({ world }) {
    const rows = await world.database.query<{ id: string; vmState: string; taskState: string | null; fault: unknown }>(
      `SELECT id, vm_state AS "vmState", task_state AS "taskState", fault FROM servers WHERE deleted_at IS NULL
         AND (task_state IS NOT NULL OR vm_state = 'building' OR (vm_state = 'error' AND fault IS NULL))`,
    )
    return rows.map(({ id, vmState, taskState }) => `${id} is ${vmState}, ${taskState ?? 'without a reason'}`)
  },
}
