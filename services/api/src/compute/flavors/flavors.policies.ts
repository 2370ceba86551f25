import { anyCaller, cloudAdmin, policy, projectReaderOrAdmin } from '@nubo/auth'

/** Nova asks no policy for these: whoever has a token sees public flavors. */
export const listFlavorsPolicy = policy('os_compute_api:flavors:index', 'List flavors.', anyCaller)
export const detailFlavorsPolicy = policy('os_compute_api:flavors:detail', 'List flavors with details.', anyCaller)
export const showFlavorPolicy = policy('os_compute_api:flavors:show', 'Show a flavor.', anyCaller)

export const createFlavorPolicy = policy('os_compute_api:os-flavor-manage:create', 'Create a flavor.', cloudAdmin)
export const updateFlavorPolicy = policy('os_compute_api:os-flavor-manage:update', "Change a flavor's description.", cloudAdmin)
export const deleteFlavorPolicy = policy('os_compute_api:os-flavor-manage:delete', 'Delete a flavor.', cloudAdmin)

export const listAccessPolicy = policy(
  'os_compute_api:os-flavor-access',
  'List the projects that may use a flavor which is not public.',
  cloudAdmin,
)
export const addAccessPolicy = policy(
  'os_compute_api:os-flavor-access:add_tenant_access',
  'Let a project use a flavor.',
  cloudAdmin,
)
export const removeAccessPolicy = policy(
  'os_compute_api:os-flavor-access:remove_tenant_access',
  'Let a project no longer use a flavor.',
  cloudAdmin,
)

export const listExtraSpecsPolicy = policy(
  'os_compute_api:os-flavor-extra-specs:index',
  "List a flavor's extra specs, and see them wherever the flavor is shown.",
  projectReaderOrAdmin,
)
export const showExtraSpecPolicy = policy(
  'os_compute_api:os-flavor-extra-specs:show',
  "Show one of a flavor's extra specs.",
  projectReaderOrAdmin,
)
export const createExtraSpecsPolicy = policy(
  'os_compute_api:os-flavor-extra-specs:create',
  'Give extra specs to a flavor.',
  cloudAdmin,
)
export const updateExtraSpecPolicy = policy(
  'os_compute_api:os-flavor-extra-specs:update',
  "Change one of a flavor's extra specs.",
  cloudAdmin,
)
export const deleteExtraSpecPolicy = policy(
  'os_compute_api:os-flavor-extra-specs:delete',
  "Delete one of a flavor's extra specs.",
  cloudAdmin,
)
