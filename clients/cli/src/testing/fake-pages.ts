/** The items behind the query's marker, as many as fit, and the query of the next page, if there is one. */
export function pageOf<Item extends { id?: unknown }>(
  items: Item[],
  query: URLSearchParams,
  pageSize = 1000,
): { page: Item[]; next: string | undefined } {
  const start = items.findIndex(({ id }) => id === query.get('marker')) + 1
  const size = Math.min(pageSize, Number(query.get('limit') ?? 1000))
  const page = items.slice(start, start + size)
  if (start + size >= items.length) return { page, next: undefined }
  const next = new URLSearchParams(query)
  next.set('marker', String(page.at(-1)!.id))
  return { page, next: next.toString() }
}
