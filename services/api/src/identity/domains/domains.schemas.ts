import { z } from 'zod'
import { description, noOptions, noTags, query, queryFlag, resourceName } from '../schemas.js'

const changeable = { description: description.optional(), enabled: z.boolean().optional(), options: noOptions, tags: noTags }

export const createDomainBody = z.strictObject({ domain: z.strictObject({ name: resourceName, ...changeable }) })
export type CreateDomain = z.output<typeof createDomainBody>['domain']

export const updateDomainBody = z.strictObject({ domain: z.strictObject({ name: resourceName.optional(), ...changeable }) })
export type UpdateDomain = z.output<typeof updateDomainBody>['domain']

export const domainQuery = query({ name: z.string().optional(), enabled: queryFlag })
export type DomainQuery = z.output<typeof domainQuery>
