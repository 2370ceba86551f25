import { z } from 'zod'
import { description, longName, noOptions, query } from '../schemas.js'

const changeable = { description: description.optional(), options: noOptions }

export const createRoleBody = z.strictObject({
  role: z.strictObject({ name: longName, domain_id: z.null().optional(), ...changeable }),
})
export type CreateRole = z.output<typeof createRoleBody>['role']

export const updateRoleBody = z.strictObject({ role: z.strictObject({ name: longName.optional(), ...changeable }) })
export type UpdateRole = z.output<typeof updateRoleBody>['role']

export const roleQuery = query({ name: z.string().optional(), domain_id: z.string().optional() })
export type RoleQuery = z.output<typeof roleQuery>
