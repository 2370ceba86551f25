import { CommandError, exitCode } from '../exit.js'
import { readJson, type Session } from './session.js'

interface PagedList {
  /** Address of the collection, with its filters. */
  url: string
  headers?: Record<string, string>
  /** The key of the list in the body: 'servers'. */
  key: string
  /** Stop after so many; undefined fetches all. */
  limit?: number | undefined
  doing: string
}

type Body = Record<string, unknown> & { next?: string }
type Link = { rel?: string; href?: string }

/**
 * Fetches a whole collection, page by page. Nova, Neutron and Keystone announce the next page in `<key>_links` or
 * `links.next`, Glance in `next`. Only the query of the announced address is taken, for hosts and paths behind a proxy
 * are often announced wrongly.
 */
export async function fetchAll<Item>(session: Session, list: PagedList): Promise<Item[]> {
  const items: Item[] = []
  const seen = new Set<string>()
  let url: string | undefined = list.url
  while (url !== undefined && (list.limit === undefined || items.length < list.limit)) {
    if (seen.has(url))
      throw new CommandError(exitCode.cloudError, `The list at ${list.url} never ends: the cloud announces a page again`)
    seen.add(url)
    const response = await session.request({ method: 'GET', url, headers: list.headers ?? {} }, list.doing)
    const body: Body = await readJson<Body>(response, url)
    const page = body[list.key]
    if (!Array.isArray(page)) throw new CommandError(exitCode.cloudError, `${url} did not answer with a list of ${list.key}`)
    items.push(...(page as Item[]))
    url = page.length === 0 ? undefined : nextPage(list.url, list.key, body)
  }
  return items.slice(0, list.limit)
}

function nextPage(url: string, key: string, body: Body): string | undefined {
  const links = body[`${key}_links`] as Link[] | undefined
  const keystone = body.links as { next?: string | null } | undefined
  const announced = links?.find((link) => link.rel === 'next')?.href ?? body.next ?? keystone?.next
  if (!announced) return undefined
  const next = new URL(url)
  next.search = new URL(announced, url).search
  return next.href
}

/** Appends the filters that have a value. */
export function withQuery(url: string, query: Record<string, string | number | undefined>): string {
  const address = new URL(url)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) address.searchParams.append(name, String(value))
  return address.href
}
