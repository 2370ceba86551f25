import { CloudError } from '@nubo/kernel'
import type {} from '@nubo/service-kit'
import { unroutedMessage } from '@nubo/wire'
import type { FastifyInstance, preParsingHookHandler } from 'fastify'

/** To Glance a path with a slash at its end is another one: `/v2/images/` is an image without an id. */
const refuseTrailingSlash: preParsingHookHandler = (request, _reply, payload, done) => {
  const end = request.url.indexOf('?')
  const isOther = request.url.charAt((end < 0 ? request.url.length : end) - 1) === '/'
  if (isOther) done(new CloudError('NotFound', unroutedMessage))
  else done(null, payload)
}

/** Refuses another body than a stream before a byte of it is read, as Glance does: 415, whatever the body holds. */
const refuseOtherMedia: preParsingHookHandler = (request, _reply, payload, done) => {
  const contentType = request.headers['content-type']
  const mediaType = contentType?.split(';', 1)[0]!.trim().toLowerCase()
  if (mediaType === 'application/octet-stream') return done(null, payload)
  done(new CloudError('UnsupportedMedia', `Invalid content type ${mediaType ?? 'None'}`))
}

/** Sets both up for the routes to come below `prefix`. */
export function guardRoutes(instance: FastifyInstance, prefix: string): void {
  instance.addHook('onRoute', (route) => {
    if (!route.url.startsWith(prefix)) return
    const guards = [refuseTrailingSlash, route.preParsing ?? []].flat()
    if (route.config?.declaration?.streamsBody) guards.push(refuseOtherMedia)
    route.preParsing = guards
  })
}
