import type { HostId, OperationId, StepId } from '@nubo/kernel'
import type { CommandedHost, DueStep, GuestRecord, ImageRecord, OpenStep, OperationStore } from '@nubo/workflow'
import type { Database } from '../connection.js'
import { findOverdue, watchClock } from './deadlines.js'
import { guestPorts } from './guest-ports.js'
import { operationColumns, operationOf, serverColumns, serverOf, stepColumns, stepOf, type Row } from './rows.js'
import { PgOperationTransaction, type EndedOperation } from './transaction.js'

const readOpenSteps = `
  SELECT ${operationColumns}, ${stepColumns}, ${serverColumns},
    v.flavor_id, v.flavor_name, v.launch_index, v.key_name, v.public_key, v.metadata, v.user_data, v.files,
    i.id AS image_id, i.disk_format, i.size_bytes, i.virtual_bytes, i.sha512,
    COALESCE(i.properties->>'hw_architecture', i.properties->>'architecture') AS architecture,
    ${guestPorts} AS ports, h.id AS h_id, h.name AS h_name, h.session_id AS h_session_id, h.fencing_epoch AS h_fencing_epoch
  FROM operation_steps s JOIN operations o ON o.id = s.operation_id JOIN servers v ON v.id = o.server_id
    LEFT JOIN hosts h ON h.id = s.host_id LEFT JOIN images i ON i.id = v.image_id AND i.status = 'active'
  WHERE s.id = ANY($1::uuid[]) AND s.state = 'open'`

/** Backoff of 2, 4, 8 ... 30 s with jitter of a quarter; a step that another sweeper is taking is passed over. */
const takeDueSteps = `
  UPDATE operation_steps s SET hints = s.hints + 1,
    next_hint_at = clock_timestamp() + LEAST(2 ^ LEAST(s.hints + 1, 10), 30) * (0.875 + random() / 4) * interval '1 second'
  FROM (SELECT id FROM operation_steps WHERE state = 'open' AND next_hint_at <= clock_timestamp()
        ORDER BY next_hint_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
  WHERE s.id = due.id RETURNING s.id, s.queue`

const giveBackSteps = `
  UPDATE operation_steps SET hints = GREATEST(hints - 1, 0), next_hint_at = clock_timestamp() + interval '1 second'
  WHERE id = ANY($1::uuid[]) AND state = 'open'`

const readTriedHosts = `
  SELECT DISTINCT ON (h.id) h.id AS "hostId", h.name, s.result->>'message' AS why
  FROM operation_steps s JOIN hosts h ON h.id = s.host_id
  WHERE s.operation_id = $1 AND s.direction = 'do' AND s.state = 'failed' ORDER BY h.id, s.finished_at DESC`

/** A host on which a step of an operation failed, and why. */
export interface TriedHost {
  hostId: HostId
  name: string
  why: string
}

/** The workflow's store on PostgreSQL. */
export class PgOperationStore implements OperationStore {
  /** @param onEnded told of every operation that a committed transaction has ended. */
  constructor(
    private readonly database: Database,
    private readonly onEnded?: (operation: EndedOperation) => void,
  ) {}

  async transaction<T>(work: (tx: PgOperationTransaction) => Promise<T>): Promise<T> {
    let ended: readonly EndedOperation[] = []
    const result = await this.database.transaction(async (tx) => {
      const operations = new PgOperationTransaction(tx)
      ended = operations.ended
      return await work(operations)
    })
    if (this.onEnded) for (const operation of ended) this.onEnded(operation)
    return result
  }

  async readOpenSteps(ids: readonly StepId[]): Promise<OpenStep[]> {
    const rows = await this.database.query<Row>(readOpenSteps, [ids])
    return rows.map((row) => ({
      operation: operationOf(row),
      step: stepOf(row),
      queue: row.s_queue as string,
      server: serverOf(row),
      guest: guestOf(row),
      host: hostOf(row),
    }))
  }

  async takeDueSteps(limit: number): Promise<DueStep[]> {
    return await this.database.query<DueStep>(takeDueSteps, [limit])
  }

  async giveBackSteps(ids: readonly StepId[]): Promise<void> {
    await this.database.execute(giveBackSteps, [ids])
  }

  /** The hosts that this operation was tried on in vain. */
  async readTriedHosts(operationId: OperationId): Promise<TriedHost[]> {
    return await this.database.query<TriedHost>(readTriedHosts, [operationId])
  }

  /** Live operations past their deadline, in time in which somebody watched: see `watchClock`. */
  async findOverdue(limit: number, unwatchedMs: number): Promise<{ id: OperationId; stepId: StepId }[]> {
    return await findOverdue(this.database, limit, unwatchedMs)
  }

  /** Says that somebody watches the deadlines, and makes good for the time in which nobody did. */
  async watchClock(unwatchedMs: number): Promise<void> {
    await watchClock(this.database, unwatchedMs)
  }
}

function guestOf(row: Row): GuestRecord {
  return {
    flavorId: row.flavor_id,
    flavorName: row.flavor_name,
    launchIndex: row.launch_index,
    keyName: row.key_name,
    publicKey: row.public_key,
    metadata: row.metadata,
    userData: row.user_data,
    files: row.files,
    image: row.image_id ? imageOf(row) : null,
    ports: row.ports ?? [],
  } as GuestRecord
}

function imageOf(row: Row): ImageRecord {
  return {
    id: row.image_id,
    architecture: row.architecture,
    diskFormat: row.disk_format,
    sizeBytes: row.size_bytes,
    virtualBytes: row.virtual_bytes,
    sha512: row.sha512,
  } as ImageRecord
}

function hostOf(row: Row): CommandedHost | null {
  if (!row.h_id) return null
  return { id: row.h_id, name: row.h_name, sessionId: row.h_session_id, fencingEpoch: row.h_fencing_epoch } as CommandedHost
}
