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

/** `url` without the mount it lies below; the bare mount stays, as it is a path of its own. */
export function withoutMount(url: string, mounts: readonly string[]): string {
  for (const mount of mounts)
    if (url.startsWith(mount) && url[mount.length] === '/' && url.length > mount.length + 1 && url[mount.length + 1] !== '?')
      return url.slice(mount.length)
  return url
}
