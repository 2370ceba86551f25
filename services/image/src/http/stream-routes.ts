import { CloudError } from '@nubo/kernel'
import type {} from '@nubo/service-kit'
import type { FastifyInstance, preParsingHookHandler } from 'fastify'

/** Refuses another body than a stream before a byte of it is read, as Glance does: 415, whatever the body holds. */
const refuseOtherMedia: preParsingHookHandler = (request, _reply, payload, done) => {
  const contentType = request.headers['content-type']
  const mediaType = contentType?.split(';', 1)[0]!.trim().toLowerCase()
  if (mediaType === 'application/octet-stream') return done(null, payload)
  done(new CloudError('UnsupportedMedia', `Invalid content type ${mediaType ?? 'None'}`))
}

/** Sets that up for the routes to come which take a body as a stream. */
export function guardStreamRoutes(instance: FastifyInstance): void {
  instance.addHook('onRoute', (route) => {
    if (route.config?.declaration?.streamsBody) route.preParsing = refuseOtherMedia
  })
}
