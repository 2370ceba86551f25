/** The parts of a request that say under which address its client knows us. */
export interface AddressedRequest {
  headers: Record<string, string | string[] | undefined>
  /** http or https, as the connection has it. */
  protocol: string
}

const first = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)?.split(',')[0]?.trim()

/** host[:port], nothing that could break out of a URL or a header. */
const validHost = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/

/**
 * `http://host:port` as the client wrote it, without a trailing slash: X-Forwarded-Proto, -Host and -Prefix before Host,
 * as oslo's HTTPProxyToWSGI does. A host that is none falls back to `fallback`.
 */
export function baseUrl(request: AddressedRequest, fallback: string): string {
  const host = first(request.headers['x-forwarded-host']) ?? first(request.headers['host'])
  if (host === undefined || !validHost.test(host)) return fallback
  const forwardedProtocol = first(request.headers['x-forwarded-proto'])
  const protocol = forwardedProtocol === 'https' || forwardedProtocol === 'http' ? forwardedProtocol : request.protocol
  const forwardedPort = first(request.headers['x-forwarded-port'])
  const port = forwardedPort && /^\d{1,5}$/.test(forwardedPort) && !/:\d+$/.test(host) ? `:${forwardedPort}` : ''
  const prefix = first(request.headers['x-forwarded-prefix'])
  const path = prefix && /^(\/[A-Za-z0-9._~-]+)+\/?$/.test(prefix) ? prefix.replace(/\/$/, '') : ''
  return `${protocol}://${host}${port}${path}`
}

export interface Link {
  rel: string
  href: string
  type?: string
}

/** A link to `path` with `query`, where `changes` replace or (undefined) remove its keys: for `next` and `previous`. */
export function pageUrl(
  path: string,
  query: Record<string, string | readonly string[] | undefined>,
  changes: Record<string, string | undefined>,
): string {
  const parameters = new URLSearchParams()
  for (const [key, value] of Object.entries({ ...query, ...changes }))
    for (const item of typeof value === 'object' ? value : [value]) if (item !== undefined) parameters.append(key, item)
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
