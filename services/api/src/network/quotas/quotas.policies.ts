import { cloudAdmin, either, ownProject, policy, projectReader, type Rule } from '@nubo/auth'

const ownReader: Rule = (caller, target) => projectReader(caller, target) && ownProject(caller, target)

export const listQuotasPolicy = policy('get_quotas', 'List limits that projects have of their own.', cloudAdmin)
export const showQuotaPolicy = policy('get_quota', 'Show the limits of a project.', either(ownReader, cloudAdmin))
export const updateQuotaPolicy = policy('update_quota', 'Change the limits of a project.', cloudAdmin)
export const deleteQuotaPolicy = policy('delete_quota', 'Leave a project with the default limits.', cloudAdmin)
