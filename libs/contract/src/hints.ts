import { z } from 'zod'
import { operationId, requestId, stepId } from './envelope.js'

/** 'Look at this step now.' Carries no instruction: whoever takes it reads the step from the database. */
export const stepHint = z.object({ kind: z.literal('step'), stepId, operationId, requestId })

/** What a conductor casts to its own kind on the way of hosts' reports: where it arrives, theirs would. */
export const hearingMark = z.object({ kind: z.literal('hearing') })
export type HearingMark = z.output<typeof hearingMark>

/** 'Something of the networks changed': whoever takes it reads what from the database. */
export const networksHint = z.object({ kind: z.literal('networks') })
