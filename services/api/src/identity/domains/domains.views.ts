import type { DomainRow } from '@nubo/database'
import { selfLink } from '../collection.view.js'

export const domainView = ({ id, name, description, enabled }: DomainRow, baseUrl: string) => ({
  id,
  name,
  description,
  enabled,
  tags: [],
  options: {},
  links: selfLink(baseUrl, `domains/${id}`),
})
