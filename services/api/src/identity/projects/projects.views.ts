import type { ProjectRow } from '@nubo/database'
import { selfLink } from '../collection.view.js'

/** There is no hierarchy: the parent of every project is its domain. */
export const projectView = ({ id, domainId, name, description, enabled, extra }: ProjectRow, baseUrl: string) => ({
  ...extra,
  id,
  name,
  domain_id: domainId,
  description,
  enabled,
  parent_id: domainId,
  is_domain: false,
  tags: [],
  options: {},
  links: selfLink(baseUrl, `projects/${id}`),
})
