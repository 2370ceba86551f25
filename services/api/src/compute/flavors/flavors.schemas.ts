import { flavorSortKeys } from '@nubo/database'
import { pythonRepr } from '@nubo/wire'
import { z } from 'zod'
import { booleanLike, integerLike, nonNegativeInteger, printableName, printableText, repeatable } from '../parameter-types.js'

// The newest version's shapes (2.96). Older ones are brought up to them by the declared microversion changes.

const largestFactor = 3.40282e38

const flavorId = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(
    z
      .string()
      .min(1)
      .max(255)
      .regex(/^(?! )[a-zA-Z0-9. _-]+(?<! )$/),
  )

const rxtxFactor = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^[0-9]+(\.[0-9]+)?$/)
      .transform(Number),
  ])
  .refine((factor) => factor > 0 && factor <= largestFactor, {
    error: ({ input }) => `${pythonRepr(input)} is not greater than 0 and at most ${largestFactor}`,
  })

/** A page of text: the column in Nova has 64 KiB. */
const description = printableText(65_535).nullable()

export const createFlavorBody = z.strictObject({
  flavor: z.strictObject({
    name: printableName,
    id: flavorId.nullish(),
    ram: integerLike({ minimum: 1 }),
    vcpus: integerLike({ minimum: 1 }),
    disk: integerLike({ minimum: 0 }),
    'OS-FLV-EXT-DATA:ephemeral': integerLike({ minimum: 0 }).optional(),
    swap: integerLike({ minimum: 0 }).optional(),
    rxtx_factor: rxtxFactor.optional(),
    'os-flavor-access:is_public': booleanLike.optional(),
    description: description.optional(),
  }),
})
export type CreateFlavorBody = z.output<typeof createFlavorBody>

export const updateFlavorBody = z.strictObject({ flavor: z.strictObject({ description }) })
export type UpdateFlavorBody = z.output<typeof updateFlavorBody>

export const listFlavorsQuery = z.strictObject({
  limit: repeatable(nonNegativeInteger),
  marker: repeatable(z.string()),
  is_public: repeatable(z.string()),
  minRam: repeatable(z.string()),
  minDisk: repeatable(z.string()),
  sort_key: repeatable(z.enum(flavorSortKeys)),
  sort_dir: repeatable(z.enum(['asc', 'desc'])),
})
export type ListFlavorsQuery = z.output<typeof listFlavorsQuery>
export const listFlavorsQueryNames = Object.keys(listFlavorsQuery.shape)

const accessBody = z.strictObject({ tenant: z.string().min(1).max(255) })
export const accessBodies = {
  addTenantAccess: z.strictObject({ addTenantAccess: accessBody }).transform((body) => body.addTenantAccess.tenant),
  removeTenantAccess: z.strictObject({ removeTenantAccess: accessBody }).transform((body) => body.removeTenantAccess.tenant),
} as const

const extraSpecKey = z.string().regex(/^[a-zA-Z0-9-_:. ]{1,255}$/)
/** Text, or a number that is kept as its digits. PostgreSQL's JSON takes no half of a surrogate pair. */
const extraSpecValue = z.union([
  z
    .string()
    .max(255)
    .refine((text) => text.isWellFormed(), { error: ({ input }) => `${pythonRepr(input)} holds characters that are no text` }),
  z.number(),
])
export const extraSpecs = z.record(extraSpecKey, extraSpecValue)
export type ExtraSpecs = z.output<typeof extraSpecs>

export const createExtraSpecsBody = z.strictObject({ extra_specs: extraSpecs })
export type CreateExtraSpecsBody = z.output<typeof createExtraSpecsBody>

export const updateExtraSpecBody = extraSpecs
  .refine((specs) => Object.keys(specs).length > 0, {
    error: ({ input }) => `${pythonRepr(input)} does not have enough properties`,
  })
  .refine((specs) => Object.keys(specs).length <= 1, { error: ({ input }) => `${pythonRepr(input)} has too many properties` })
