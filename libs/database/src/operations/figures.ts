import { placementQueue } from '@nubo/contract'
import type { Queryable } from '../connection.js'

/** The live operations of one kind in one state. */
export interface LiveOperations {
  kind: string
  state: 'running' | 'unwinding'
  count: number
  /** Since the oldest of them was asked for. */
  oldestSeconds: number
}

/** Through the index of live operations: what has ended, however much, is not touched. */
const liveOperations = `
  SELECT kind, state, count(*)::int AS count, extract(epoch FROM clock_timestamp() - min(started_at))::float8 AS "oldestSeconds"
  FROM operations WHERE state IN ('running', 'unwinding') GROUP BY kind, state`

export async function readLiveOperations(db: Queryable): Promise<LiveOperations[]> {
  return await db.query<LiveOperations>(liveOperations)
}

/** The open steps of one name. */
export interface OpenSteps {
  name: string
  direction: 'do' | 'undo'
  count: number
  /** Since the oldest of them was opened. */
  oldestSeconds: number
  /** Of those whose hint is due and was not cast again yet, how long the one that waits longest does so; 0 where none is. */
  overdueSeconds: number
}

/** Through the index of steps to hint at. */
const openSteps = `
  SELECT name, direction, count(*)::int AS count, extract(epoch FROM clock_timestamp() - min(opened_at))::float8 AS "oldestSeconds",
    GREATEST(extract(epoch FROM clock_timestamp() - min(next_hint_at)), 0)::float8 AS "overdueSeconds"
  FROM operation_steps WHERE state = 'open' GROUP BY name, direction`

export async function readOpenStepFigures(db: Queryable): Promise<OpenSteps[]> {
  return await db.query<OpenSteps>(openSteps)
}

/** How much is still to do. */
export interface WorkLeft {
  /** Steps that wait for a scheduler. */
  placements: number
  /** Since the oldest of them was opened; 0 where there is none. */
  oldestPlacementSeconds: number
  /** Steps that wait for a host. */
  commands: number
  /** Hosts that take commands. */
  hosts: number
}

/** Beyond so many the figures are the same to whoever asks, so that it costs no more however many there are. */
const countedAtMost = 100_000

const workLeft = `
  SELECT count(*) FILTER (WHERE placement)::int AS placements, count(host_id)::int AS commands,
    COALESCE(extract(epoch FROM clock_timestamp() - min(opened_at) FILTER (WHERE placement)), 0)::float8 AS "oldestPlacementSeconds",
    (SELECT count(*) FROM hosts WHERE session_id IS NOT NULL AND NOT forced_down)::int AS hosts
  FROM (SELECT host_id, opened_at, queue = '${placementQueue}' AS placement FROM operation_steps WHERE state = 'open' LIMIT $1) steps`

export async function readWorkLeft(db: Queryable): Promise<WorkLeft> {
  const [row] = await db.query<WorkLeft>(workLeft, [countedAtMost])
  return row!
}
