import { anyCaller, cloudAdmin, either, ownProject, policy, projectReader, type Rule } from '@nubo/auth'

const ownProjectReader: Rule = (caller, target) => projectReader(caller, target) && ownProject(caller, target)
const ownProjectReaderOrAdmin = either(ownProjectReader, cloudAdmin)

export const showQuotasPolicy = policy(
  'os_compute_api:os-quota-sets:show',
  'Show the limits of a project.',
  ownProjectReaderOrAdmin,
)
export const detailQuotasPolicy = policy(
  'os_compute_api:os-quota-sets:detail',
  'Show the limits of a project and what it uses of them.',
  ownProjectReaderOrAdmin,
)
export const defaultQuotasPolicy = policy(
  'os_compute_api:os-quota-sets:defaults',
  'Show the limits of a project that has none of its own.',
  anyCaller,
)
export const updateQuotasPolicy = policy('os_compute_api:os-quota-sets:update', 'Change the limits of a project.', cloudAdmin)
export const deleteQuotasPolicy = policy(
  'os_compute_api:os-quota-sets:delete',
  'Leave a project with the default limits.',
  cloudAdmin,
)
