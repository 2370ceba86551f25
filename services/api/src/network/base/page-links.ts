import { pageUrl, type Link } from '@nubo/wire'
import { isBackwards, limitOf, type AnyQuery } from './listing-query.js'

/** Links to the pages beside this one, where pages were asked for (`neutron/api/api_common.py`, get_pagination_links). */
export function pageLinks(query: AnyQuery, rows: readonly { id: string }[], url: string): Link[] {
  const limit = limitOf(query)
  if (limit === undefined) return []
  const backwards = isBackwards(query)
  const isLast = rows.length < limit
  const link = (rel: string, marker: string | undefined, reverse: string | undefined) => ({
    rel,
    href: pageUrl(url, query, { ...(marker !== undefined && { marker }), page_reverse: reverse }),
  })
  return [
    ...(isLast && !backwards ? [] : [link('next', rows.at(-1)?.id, undefined)]),
    ...(isLast && backwards ? [] : [link('previous', rows[0]?.id, 'True')]),
  ]
}
