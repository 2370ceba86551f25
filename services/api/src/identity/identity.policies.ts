import { adminOrSystemReader, anyCaller, cloudAdmin, either, ownProject, ownUser, policy, type Rule } from '@nubo/auth'

// Named as Keystone's policies are, so that an operator's knowledge of them holds here.

/** The domain that the path names is the token's: its own scope, or the one its project lies in. */
const ownDomain: Rule = ({ scope }, target) =>
  (scope.kind === 'domain' && scope.domainId === target['domain_id']) ||
  (scope.kind === 'project' && scope.projectDomainId === target['domain_id'])

/** The token that is asked about is the caller's own. */
const ownToken: Rule = (caller, target) => target['token_user_id'] === caller.userId

export const aboutTokenPolicy = policy(
  'identity:ask_about_token',
  'Ask about a token or end it. Whose it may be, identity:validate_token and identity:revoke_token say.',
  anyCaller,
)
export const validateTokenPolicy = policy(
  'identity:validate_token',
  'See what a token says: everybody of their own tokens.',
  either(adminOrSystemReader, ownToken),
)
export const revokeTokenPolicy = policy(
  'identity:revoke_token',
  'End a token: everybody their own tokens.',
  either(cloudAdmin, ownToken),
)
export const authCatalogPolicy = policy('identity:get_auth_catalog', "See the token's catalog.", anyCaller)
export const authProjectsPolicy = policy('identity:get_auth_projects', 'List the projects one has a role on.', anyCaller)
export const authDomainsPolicy = policy('identity:get_auth_domains', 'List the domains one has a role on.', anyCaller)
export const authSystemPolicy = policy('identity:get_auth_system', 'See whether one has a role on the system.', anyCaller)

export const listProjectsPolicy = policy('identity:list_projects', 'List all projects.', adminOrSystemReader)
export const getProjectPolicy = policy(
  'identity:get_project',
  'Show a project: everybody that of their token.',
  either(adminOrSystemReader, ownProject),
)
export const createProjectPolicy = policy('identity:create_project', 'Create a project.', cloudAdmin)
export const updateProjectPolicy = policy('identity:update_project', 'Change a project.', cloudAdmin)
export const deleteProjectPolicy = policy('identity:delete_project', 'Delete a project.', cloudAdmin)
export const listUserProjectsPolicy = policy(
  'identity:list_user_projects',
  'List the projects that a user has a role on: everybody their own.',
  either(adminOrSystemReader, ownUser),
)

export const listUsersPolicy = policy('identity:list_users', 'List all users.', adminOrSystemReader)
export const getUserPolicy = policy(
  'identity:get_user',
  'Show a user: everybody themselves.',
  either(adminOrSystemReader, ownUser),
)
export const createUserPolicy = policy('identity:create_user', 'Create a user.', cloudAdmin)
export const updateUserPolicy = policy('identity:update_user', 'Change a user, the password included.', cloudAdmin)
export const deleteUserPolicy = policy('identity:delete_user', 'Delete a user.', cloudAdmin)

export const listRolesPolicy = policy('identity:list_roles', 'List the roles.', adminOrSystemReader)
export const getRolePolicy = policy('identity:get_role', 'Show a role.', adminOrSystemReader)
export const createRolePolicy = policy('identity:create_role', 'Create a role.', cloudAdmin)
export const updateRolePolicy = policy('identity:update_role', 'Change a role.', cloudAdmin)
export const deleteRolePolicy = policy('identity:delete_role', 'Delete a role.', cloudAdmin)

export const listGrantsPolicy = policy(
  'identity:list_grants',
  'List the roles that a user was given on a target.',
  adminOrSystemReader,
)
export const checkGrantPolicy = policy(
  'identity:check_grant',
  'Ask whether a user was given a role on a target.',
  adminOrSystemReader,
)
export const createGrantPolicy = policy('identity:create_grant', 'Give a user a role on a target.', cloudAdmin)
export const revokeGrantPolicy = policy('identity:revoke_grant', 'Take a role on a target from a user.', cloudAdmin)
export const listAssignmentsPolicy = policy('identity:list_role_assignments', 'List role assignments.', adminOrSystemReader)

export const listDomainsPolicy = policy('identity:list_domains', 'List the domains.', adminOrSystemReader)
export const getDomainPolicy = policy(
  'identity:get_domain',
  'Show a domain: everybody that of their token.',
  either(adminOrSystemReader, ownDomain),
)
export const createDomainPolicy = policy('identity:create_domain', 'Create a domain.', cloudAdmin)
export const updateDomainPolicy = policy('identity:update_domain', 'Change a domain.', cloudAdmin)
export const deleteDomainPolicy = policy('identity:delete_domain', 'Delete a domain.', cloudAdmin)

export const listServicesPolicy = policy('identity:list_services', 'List the services of the catalog.', adminOrSystemReader)
export const getServicePolicy = policy('identity:get_service', 'Show a service of the catalog.', adminOrSystemReader)
export const listEndpointsPolicy = policy('identity:list_endpoints', 'List the endpoints of the catalog.', adminOrSystemReader)
export const getEndpointPolicy = policy('identity:get_endpoint', 'Show an endpoint of the catalog.', adminOrSystemReader)
export const listRegionsPolicy = policy('identity:list_regions', 'List the regions.', anyCaller)
export const getRegionPolicy = policy('identity:get_region', 'Show a region.', anyCaller)
