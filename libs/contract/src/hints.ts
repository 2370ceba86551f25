import { z } from 'zod'
import { operationId, requestId, stepId } from './envelope.js'

/** 'Look at this step now.' Carries no instruction: whoever takes it reads the step from the database. */
export const stepHint = z.object({ kind: z.literal('step'), stepId, operationId, requestId })
export type StepHint = z.output<typeof stepHint>
