import type { Compute } from './compute.js'
import { Nubo } from './nubo.js'

export interface OperationStep {
  name: string
  direction: string
  state: string
  attempt: number
  hints: number
  opened_at: string
  finished_at: string | null
  next_hint_in_seconds: number | null
  message: string | null
  /** For administrators. */
  host?: string | null
}

/** Something that is done to a server in steps. */
export interface Operation {
  id: string
  kind: string
  state: string
  server_id: string | null
  project_id: string
  user_id: string | null
  request_id: string
  message: string | null
  started_at: string
  finished_at: string | null
  age_seconds: number
  seconds_left: number | null
  attempt: number | null
  last_failure: string | null
  progress: { step: string | null; undoing: boolean; steps_done: number; steps_total: number }
  steps?: OperationStep[]
}

export interface OperationFilters {
  state?: string | undefined
  server_id?: string | undefined
  kind?: string | undefined
  older_than?: number | undefined
}

const without = 'does not list operations'

/** `GET /nubo/v1/operations`, newest first. */
export async function listOperations(
  compute: Compute,
  filters: OperationFilters,
  limit: number | undefined,
): Promise<Operation[]> {
  return await new Nubo(compute).list<Operation>('/operations', 'operations', {
    query: { ...filters, limit },
    limit,
    doing: 'Listing the operations',
    without,
  })
}

/** `GET /nubo/v1/operations/{id}`, with its steps. */
export async function getOperation(compute: Compute, id: string): Promise<Operation> {
  const request = { doing: 'Reading the operation', without }
  return (await new Nubo(compute).get<{ operation: Operation }>(`/operations/${encodeURIComponent(id)}`, request)).operation
}
