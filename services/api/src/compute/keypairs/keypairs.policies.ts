import { isCloudAdmin, policy, type Rule } from '@nubo/auth'

/** Everyone has keypairs of their own; those of another user, where one is named, are for administrators. */
const ownKeypairs: Rule = (caller, target) =>
  target['user_id'] === undefined || target['user_id'] === caller.userId || isCloudAdmin(caller)

export const listKeypairsPolicy = policy('os_compute_api:os-keypairs:index', 'List keypairs.', ownKeypairs)
export const showKeypairPolicy = policy('os_compute_api:os-keypairs:show', 'Show a keypair.', ownKeypairs)
export const createKeypairPolicy = policy('os_compute_api:os-keypairs:create', 'Create or import a keypair.', ownKeypairs)
export const deleteKeypairPolicy = policy('os_compute_api:os-keypairs:delete', 'Delete a keypair.', ownKeypairs)
