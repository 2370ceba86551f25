import type { FastifyRequest } from 'fastify'

/** `{ projects: [...], links }`, with the address under which the client asked. */
export function collectionView<Name extends string, View>(
  name: Name,
  views: readonly View[],
  baseUrl: string,
  request: FastifyRequest,
) {
  return {
    [name]: views,
    links: { next: null, self: `${baseUrl}${request.url}`, previous: null },
  } as Record<Name, readonly View[]> & { links: { next: null; self: string; previous: null } }
}

/** The link by which a record names itself. */
export const selfLink = (baseUrl: string, path: string) => ({ self: `${baseUrl}/v3/${path}` })
