import { z } from 'zod'
import { booleanLike, hostName, repeatable } from '../parameter-types.js'

export const listServicesQuery = z.strictObject({ host: repeatable(z.string()), binary: repeatable(z.string()) })
export type ListServicesQuery = z.output<typeof listServicesQuery>
export const listServicesQueryNames = Object.keys(listServicesQuery.shape)

const reason = z.string().min(1).max(255)

/** PUT /os-services/{id} since 2.53. */
export const updateServiceBody = z.strictObject({
  status: z.enum(['enabled', 'disabled']).optional(),
  disabled_reason: reason.optional(),
  forced_down: booleanLike.optional(),
})
export type UpdateServiceBody = z.output<typeof updateServiceBody>

/** PUT /os-services/{action} before 2.11. */
const namedService = z.strictObject({
  host: hostName,
  binary: z.string().min(1).max(255),
  disabled_reason: reason.optional(),
})
/** ... and before 2.53. */
const namedServiceForcedDown = namedService.extend({ forced_down: booleanLike.optional() })
export type NamedServiceBody = z.output<typeof namedServiceForcedDown>

export const forcedDownSince = 11
export const namedServiceBody = (minor: number): z.ZodType<NamedServiceBody> =>
  minor < forcedDownSince ? namedService : namedServiceForcedDown
