import { z } from 'zod'
import { description, identityId, noOptions, noTags, query, queryFlag, recordWithExtra, resourceName } from '../schemas.js'

const changeable = { description: description.optional(), enabled: z.boolean().optional(), options: noOptions, tags: noTags }

export const createProjectBody = z.strictObject({
  project: recordWithExtra({
    name: resourceName,
    domain_id: identityId.nullable().optional(),
    parent_id: identityId.nullable().optional(),
    is_domain: z.literal(false).optional(),
    ...changeable,
  }),
})
export type CreateProject = z.output<typeof createProjectBody>['project']

export const updateProjectBody = z.strictObject({
  project: recordWithExtra({
    name: resourceName.optional(),
    domain_id: identityId.optional(),
    parent_id: identityId.nullable().optional(),
    is_domain: z.boolean().optional(),
    ...changeable,
  }),
})
export type UpdateProject = z.output<typeof updateProjectBody>['project']

export const projectQuery = query({
  name: z.string().optional(),
  domain_id: z.string().optional(),
  parent_id: z.string().optional(),
  enabled: queryFlag,
  is_domain: queryFlag,
})
export type ProjectQuery = z.output<typeof projectQuery>
