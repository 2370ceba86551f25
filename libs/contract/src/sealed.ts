import { z } from 'zod'
import { answered } from './questions.js'
import { report } from './reports.js'

/**
 * What a host signs: one of its messages, and a number that is higher than that of every registration it made before.
 * The conductor takes registrations in rising order alone, so one that was recorded is worth nothing later.
 */
export const sealedReport = z.object({ number: z.int().nonnegative(), message: z.union([report, answered]) })
