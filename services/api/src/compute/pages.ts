import { pageUrl } from '@nubo/wire'

/** Nova's max_limit: no answer holds more than this many. */
export const largestPage = 1_000

/** How many to read for a request that asks for `limit`. */
export const pageSize = (limit: number | undefined): number => Math.min(limit ?? largestPage, largestPage)

type Query = Record<string, string | readonly string[] | undefined>

/**
 * `{ <collection>_links: [next] }` where a page is full, and nothing where it is not: there may be more behind it, as Nova
 * sees it (`nova/api/openstack/common.py`, _get_collection_links). `marker` names the last item of a page.
 */
export function nextLink<Item>(
  items: readonly Item[],
  marker: (last: Item) => string,
  page: { name: string; path: string; query: Query; limit: number | undefined; baseUrl: string },
): Record<string, { rel: string; href: string }[]> {
  const last = items.at(-1)
  if (last === undefined || items.length < pageSize(page.limit)) return {}
  // In the order of their names, as Nova's are.
  const parameters = Object.entries({ ...page.query, marker: marker(last) }).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const href = pageUrl(`${page.baseUrl}/v2.1/${page.path}`, Object.fromEntries(parameters), {})
  return { [page.name]: [{ rel: 'next', href }] }
}
