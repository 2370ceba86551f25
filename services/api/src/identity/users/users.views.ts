import type { UserRow } from '@nubo/database'
import { selfLink } from '../collection.view.js'

/** What was never set is not shown, as in Keystone. */
export const userView = (user: UserRow, baseUrl: string) => ({
  ...user.extra,
  ...(user.email !== null && { email: user.email }),
  ...(user.description !== '' && { description: user.description }),
  ...(user.defaultProjectId !== null && { default_project_id: user.defaultProjectId }),
  id: user.id,
  name: user.name,
  domain_id: user.domainId,
  enabled: user.enabled,
  password_expires_at: null,
  options: {},
  links: selfLink(baseUrl, `users/${user.id}`),
})
