import { isUuid, type OperationId } from '@nubo/kernel'
import type { OperationState } from '@nubo/workflow'
import { z } from 'zod'
import { maxInteger, nonNegativeInteger, single } from '../../compute/parameter-types.js'

const states = ['running', 'unwinding', 'done', 'failed', 'cancelled'] as const satisfies readonly OperationState[]
/** What is under way: neither done nor given up. */
const live: OperationState[] = ['running', 'unwinding']

const uuid = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine(isUuid, { error: 'is not a UUID' })

const state = z.enum([...states, 'live']).transform((word): OperationState[] => (word === 'live' ? live : [word]))

export const listOperationsQuery = z.strictObject({
  state: single(state),
  server_id: single(uuid),
  kind: single(z.string().max(64)),
  project_id: single(z.string().max(64)),
  /** Seconds since it began, at the least. */
  older_than: single(nonNegativeInteger.pipe(z.number().max(maxInteger))),
  limit: single(nonNegativeInteger),
  marker: single(uuid.transform((id) => id as OperationId)),
})
export type ListOperationsQuery = z.output<typeof listOperationsQuery>
