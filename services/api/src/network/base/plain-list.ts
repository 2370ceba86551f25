import { badRequest } from '@nubo/domain'
import { fieldsOf, isBackwards, limitOf, sortKeysOf, type AnyQuery } from './listing-query.js'

type View = Readonly<Record<string, unknown>>

const ofLists = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir'])

/**
 * The views that a query asks for, for lists that are worked out and short. What it asks of other names is passed over.
 * `key`: by which attribute a page's marker is known.
 */
export function chosen<V extends View>(views: readonly V[], query: AnyQuery, key: keyof V & string): View[] {
  const fields = fieldsOf(query)
  const meant = views.filter((view) => isMeant(view, query))
  return page(sorted(meant, query), query, key).map((view) => only(view, fields))
}

export function only(view: View, fields: ReadonlySet<string> | undefined): View {
  return fields ? Object.fromEntries(Object.entries(view).filter(([name]) => fields.has(name))) : view
}

function isMeant(view: View, query: AnyQuery): boolean {
  return Object.entries(query).every(([name, wanted]) => {
    if (ofLists.has(name) || !Object.hasOwn(view, name)) return true
    const value = String(view[name]).toLowerCase()
    return [wanted].flat().some((each) => each.toLowerCase() === value)
  })
}

function sorted<V extends View>(views: readonly V[], query: AnyQuery): V[] {
  const keys = sortKeysOf(query, (name) => views.length === 0 || Object.hasOwn(views[0]!, name))
  return views.toSorted((one, other) => {
    const orders = keys.map(({ name, descending }) => compare(one[name], other[name]) * (descending ? -1 : 1))
    return orders.find((order) => order !== 0) ?? 0
  })
}

function compare(one: unknown, other: unknown): number {
  const [left, right] = typeof one === 'number' && typeof other === 'number' ? [one, other] : [String(one), String(other)]
  return left === right ? 0 : left < right ? -1 : 1
}

/** What lies behind the marker, or before it, up to the limit. */
function page<V extends View>(views: readonly V[], query: AnyQuery, key: keyof V & string): readonly V[] {
  const limit = limitOf(query)
  if (limit === undefined) return views
  const marker = [query['marker'] ?? []].flat().at(-1)
  const place = marker === undefined ? -1 : views.findIndex((view) => view[key] === marker)
  if (marker !== undefined && place < 0) throw badRequest('marker', `${marker} is not in the list`)
  if (!isBackwards(query)) return views.slice(place + 1, place + 1 + limit)
  const end = marker === undefined ? views.length : place
  return views.slice(Math.max(0, end - limit), end)
}
