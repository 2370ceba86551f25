import { policy, projectMemberOrAdmin, projectReaderOrAdmin } from '@nubo/auth'

export const listInterfacesPolicy = policy(
  'os_compute_api:os-attach-interfaces:list',
  'List the interfaces of a server.',
  projectReaderOrAdmin,
)
export const showInterfacePolicy = policy(
  'os_compute_api:os-attach-interfaces:show',
  'Show an interface of a server.',
  projectReaderOrAdmin,
)
export const attachInterfacePolicy = policy(
  'os_compute_api:os-attach-interfaces:create',
  'Attach an interface to a server.',
  projectMemberOrAdmin,
)
export const detachInterfacePolicy = policy(
  'os_compute_api:os-attach-interfaces:delete',
  'Detach an interface from a server.',
  projectMemberOrAdmin,
)
export const addSecurityGroupPolicy = policy(
  'os_compute_api:os-security-groups:add',
  'Add a security group to the ports of a server.',
  projectMemberOrAdmin,
)
export const removeSecurityGroupPolicy = policy(
  'os_compute_api:os-security-groups:remove',
  'Remove a security group from the ports of a server.',
  projectMemberOrAdmin,
)
export const addFixedIpPolicy = policy(
  'os_compute_api:os-multinic:add',
  'Give an interface one more address.',
  projectMemberOrAdmin,
)
export const removeFixedIpPolicy = policy(
  'os_compute_api:os-multinic:remove',
  'Take an address from an interface.',
  projectMemberOrAdmin,
)
