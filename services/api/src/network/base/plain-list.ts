import type { AnyQuery } from './listing-query.js'
import { fieldsOf } from './listing-query.js'

type View = Readonly<Record<string, unknown>>

const ofLists = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir'])

/** The views that a query asks for, for lists that are worked out and short. What it asks of other names is passed over. */
export function chosen<V extends View>(views: readonly V[], query: AnyQuery): View[] {
  const fields = fieldsOf(query)
  return views.filter((view) => isMeant(view, query)).map((view) => only(view, fields))
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
