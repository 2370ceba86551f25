import type { RoleRow } from '@nubo/database'
import { selfLink } from '../collection.view.js'
import { isBuiltIn } from './built-in-roles.js'

export const roleView = ({ id, name, description }: RoleRow, baseUrl: string) => ({
  id,
  name,
  domain_id: null,
  description: description === '' ? null : description,
  options: isBuiltIn(name) ? { immutable: true } : {},
  links: selfLink(baseUrl, `roles/${id}`),
})
