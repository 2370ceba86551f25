import { z } from 'zod'
import { description, identityId, longName, noOptions, password, query, queryFlag, recordWithExtra } from '../schemas.js'

const changeable = {
  description: description.optional(),
  email: z.string().max(255).nullable().optional(),
  enabled: z.boolean().optional(),
  default_project_id: identityId.nullable().optional(),
  password: password.nullable().optional(),
  options: noOptions,
  /** Nobody comes from elsewhere. */
  federated: z.array(z.unknown()).max(0).optional(),
}

export const createUserBody = z.strictObject({
  user: recordWithExtra({ name: longName, domain_id: identityId.optional(), ...changeable }),
})
export type CreateUser = z.output<typeof createUserBody>['user']

export const updateUserBody = z.strictObject({
  user: recordWithExtra({ name: longName.optional(), domain_id: identityId.optional(), ...changeable }),
})
export type UpdateUser = z.output<typeof updateUserBody>['user']

export const changePasswordBody = z.strictObject({ user: z.strictObject({ password, original_password: z.string() }) })
export type ChangePassword = z.output<typeof changePasswordBody>['user']

export const userQuery = query({ name: z.string().optional(), domain_id: z.string().optional(), enabled: queryFlag })
export type UserQuery = z.output<typeof userQuery>
