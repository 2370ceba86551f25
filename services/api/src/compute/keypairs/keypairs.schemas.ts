import { z } from 'zod'
import { nonNegativeInteger, printableName, repeatable } from '../parameter-types.js'

// The newest version's shapes (2.96). Older ones are brought up to them by the declared microversion changes.

const largestKeyCharacters = 65_535

export const createKeypairBody = z.strictObject({
  keypair: z.strictObject({
    name: printableName.regex(/^[_\-@. a-zA-Z0-9]+$/),
    type: z.enum(['ssh', 'x509']).optional(),
    /** Required since 2.92; before, a key is made where there is none. */
    public_key: z.string().max(largestKeyCharacters).optional(),
    user_id: z.string().optional(),
  }),
})
export type CreateKeypairBody = z.output<typeof createKeypairBody>

const userId = repeatable(z.string())
export const keypairQuery = z.strictObject({ user_id: userId })
export type KeypairQuery = z.output<typeof keypairQuery>

export const listKeypairsQuery = z.strictObject({
  user_id: userId,
  limit: repeatable(nonNegativeInteger),
  marker: repeatable(z.string()),
})
export type ListKeypairsQuery = z.output<typeof listKeypairsQuery>
