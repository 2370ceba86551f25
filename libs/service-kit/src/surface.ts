import type { IncomingMessage } from 'node:http'
import type { ErrorStyle, MicroversionRegistry } from '@nubo/wire'

/** One of OpenStack's APIs as a service serves it: everything below one prefix of the path. */
export interface Surface {
  name: string
  /** '/v3', '/v2.1'; '' for everything that no other one claims. */
  prefix: string
  errors: ErrorStyle
  /** Where tokens are got, for WWW-Authenticate. */
  identityUrl: string
  /** Media types of bodies that are read as JSON; '' stands for no Content-Type at all. */
  jsonMediaTypes: readonly string[]
  /** Headers that carry the request id, beside X-Openstack-Request-Id. */
  requestIdHeaders: readonly string[]
  /** Headers of every answer. */
  headers?: Readonly<Record<string, string>>
  /** True where the real service stands behind its token check as a whole, so that an unknown path without a token is a 401. */
  guardsUnknownPaths: boolean
  microversions?: MicroversionRegistry
  /**
   * The place of an older version of the API ('/v2' of '/v2.1'), whose routes are those of the oldest microversion. It knows
   * nothing of microversions: their headers are neither read nor sent (Nova's LegacyV2CompatibleWrapper).
   */
  formerPrefix?: string
}

/** The surface that serves `path`: the one with the longest prefix. */
export function surfaceFor(surfaces: readonly Surface[], path: string): Surface | undefined {
  let best: Surface | undefined
  for (const surface of surfaces) {
    const { prefix } = surface
    const within =
      prefix === '' || (path.startsWith(prefix) && (path.length === prefix.length || '/?#'.includes(path[prefix.length]!)))
    if (within && (best === undefined || prefix.length > best.prefix.length)) best = surface
  }
  return best
}

/** How a request came by the path that it is routed by. */
export interface Arrival {
  /** The mount that it lies below ('/compute'), or ''. */
  mount: string
  /** True if it was sent to a surface's former prefix. */
  former: boolean
}

const arrivals = new WeakMap<IncomingMessage, Arrival>()
const plainArrival: Arrival = { mount: '', former: false }

/** How `message` arrived; known once its path was looked up. */
export const arrivalOf = (message: IncomingMessage): Arrival => arrivals.get(message) ?? plainArrival

/** The path that a request is routed by: without the mount, and at the present place of what has moved. */
export function routedUrl(message: IncomingMessage, surfaces: readonly Surface[], mounts: readonly string[]): string {
  const url = message.url ?? '/'
  // The bare mount is a path of its own, and so is the bare former prefix.
  const mount = mounts.find((each) => isBelow(url, each)) ?? ''
  const path = url.slice(mount.length)
  const moved = surfaces.find(({ formerPrefix }) => formerPrefix !== undefined && isBelow(path, formerPrefix))
  if (mount === '' && !moved) return url
  arrivals.set(message, { mount, former: moved !== undefined })
  return moved ? moved.prefix + path.slice(moved.formerPrefix!.length) : path
}

const isBelow = (url: string, prefix: string) =>
  url.startsWith(prefix) && url[prefix.length] === '/' && url.length > prefix.length + 1 && url[prefix.length + 1] !== '?'
