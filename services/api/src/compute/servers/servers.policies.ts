import { cloudAdmin, policy, projectMemberOrAdmin, projectReaderOrAdmin } from '@nubo/auth'

// Named as Nova's policies are, so that an operator's knowledge of them holds here.

export const listServersPolicy = policy('os_compute_api:servers:index', 'List the servers of the project.', projectReaderOrAdmin)
export const detailServersPolicy = policy(
  'os_compute_api:servers:detail',
  'List the servers of the project with details.',
  projectReaderOrAdmin,
)
export const allTenantsPolicy = policy(
  'os_compute_api:servers:index:get_all_tenants',
  'List the servers of all projects.',
  cloudAdmin,
)
export const showServerPolicy = policy('os_compute_api:servers:show', 'Show a server.', projectReaderOrAdmin)
export const createServerPolicy = policy('os_compute_api:servers:create', 'Create a server.', projectMemberOrAdmin)
export const forcedHostPolicy = policy(
  'os_compute_api:servers:create:forced_host',
  'Name the host on which a server is created.',
  cloudAdmin,
)
export const zeroDiskFlavorPolicy = policy(
  'os_compute_api:servers:create:zero_disk_flavor',
  'Create a server whose disk is as large as its image says.',
  cloudAdmin,
)
export const updateServerPolicy = policy('os_compute_api:servers:update', 'Change a server.', projectMemberOrAdmin)
export const deleteServerPolicy = policy('os_compute_api:servers:delete', 'Delete a server.', projectMemberOrAdmin)
export const startServerPolicy = policy('os_compute_api:servers:start', 'Start a server.', projectMemberOrAdmin)
export const stopServerPolicy = policy('os_compute_api:servers:stop', 'Stop a server.', projectMemberOrAdmin)
export const rebootServerPolicy = policy('os_compute_api:servers:reboot', 'Reboot a server.', projectMemberOrAdmin)
export const consoleOutputPolicy = policy('os_compute_api:os-console-output', "Read a server's console.", projectMemberOrAdmin)
export const lockServerPolicy = policy('os_compute_api:os-lock-server:lock', 'Lock a server.', projectMemberOrAdmin)
export const unlockServerPolicy = policy('os_compute_api:os-lock-server:unlock', 'Unlock a server.', projectMemberOrAdmin)
export const readMetadataPolicy = policy(
  'os_compute_api:server-metadata:index',
  "Read a server's metadata.",
  projectReaderOrAdmin,
)
export const writeMetadataPolicy = policy(
  'os_compute_api:server-metadata:update_all',
  "Change a server's metadata.",
  projectMemberOrAdmin,
)
export const deleteMetadataPolicy = policy(
  'os_compute_api:server-metadata:delete',
  "Delete an item of a server's metadata.",
  projectMemberOrAdmin,
)
export const showPasswordPolicy = policy(
  'os_compute_api:os-server-password:show',
  'Read the password that a server set, as it sealed it.',
  projectReaderOrAdmin,
)
export const clearPasswordPolicy = policy(
  'os_compute_api:os-server-password:clear',
  'Forget the password that a server set.',
  projectMemberOrAdmin,
)
export const listActionsPolicy = policy(
  'os_compute_api:os-instance-actions:list',
  'List what was done to a server.',
  projectReaderOrAdmin,
)
export const showActionPolicy = policy(
  'os_compute_api:os-instance-actions:show',
  'Show one thing that was done to a server.',
  projectReaderOrAdmin,
)
export const serverAddressesPolicy = policy('os_compute_api:ips:index', "Read a server's addresses.", projectReaderOrAdmin)
export const networkAddressesPolicy = policy(
  'os_compute_api:ips:show',
  "Read a server's addresses on one network.",
  projectReaderOrAdmin,
)
export const explainPlacementPolicy = policy(
  'nubo:placement:show',
  'Read why a server was placed where it is.',
  projectReaderOrAdmin,
)
