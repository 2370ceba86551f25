const source = Symbol('source')

/**
 * Hangs what a view was made from on the view, unseen by JSON: an older version may show what the newest one no longer
 * does (the id of a server's flavor before 2.47).
 */
export function withSource<View extends object>(view: View, from: unknown): View {
  Object.defineProperty(view, source, { value: from, enumerable: false })
  return view
}

/** What `withSource` hung on `view`. */
export function sourceOf<Source>(view: object): Source {
  return (view as { [source]?: unknown })[source] as Source
}
