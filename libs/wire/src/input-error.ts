import { CloudError } from '@nubo/kernel'
import type { z } from 'zod'

export type InputPlace = 'body' | 'query' | 'path'

/** Input that broke a schema: the first issue says what a person is told, in the words of the service that was asked. */
export class InputError extends CloudError {
  constructor(
    readonly place: InputPlace,
    /** What was given, whole. */
    readonly input: unknown,
    readonly issues: readonly z.core.$ZodIssue[],
  ) {
    super('Invalid', `Invalid ${place}`)
  }
}
