import { CloudError } from '@nubo/kernel'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The media type alone, in lower case; '' where there is none. */
const mediaTypeOf = (request: FastifyRequest) => (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()

const escapedNul = '\\u0000'

/** Deeper than what any of the APIs takes. Whoever walks what is much deeper comes to the end of the stack. */
const deepest = 100

/** Whether more brackets are open at once than anybody means; those within strings are none. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let place = 0; place < text.length; place += 1) {
    const character = text[place]!
    if (character === '"') place = endOfString(text, place)
    else if (character === '[' || character === '{') depth += 1
    else if (character === ']' || character === '}') depth -= 1
    if (depth > deepest) return true
  }
  return false
}

function endOfString(text: string, start: number): number {
  let place = start + 1
  while (place < text.length && text[place] !== '"') place += text[place] === '\\' ? 2 : 1
  return place
}

type Done = (error: Error | null, body?: unknown) => void

/**
 * Reads bodies as the surface they are sent to does: what it takes for JSON is parsed, the rest is its own 415 or 400, and
 * application/octet-stream goes through unread on routes that want the stream.
 */
export function installBodyParsers(instance: FastifyInstance): void {
  const parseJson = instance.getDefaultJsonParser('error', 'error')
  instance.removeAllContentTypeParsers()

  const parse = (request: FastifyRequest, text: string, done: Done) => {
    const { surface } = request
    // Nothing was said: what is required will be missed by validation.
    if (text.length === 0) return done(null, undefined)
    if (surface && !surface.jsonMediaTypes.includes(mediaTypeOf(request))) {
      const refusal = surface.errors.body('media-type')
      if (refusal) return done(refusal)
    }
    // PostgreSQL's text cannot hold NUL. An escaped backslash before the same letters is refused with it: nobody means it.
    if (text.includes(escapedNul) || isTooDeep(text))
      return done(surface?.errors.body('syntax') ?? new CloudError('Invalid', 'Malformed request body'))
    parseJson(request, text, (error: Error | null, body?: unknown) => {
      if (error) return done(surface?.errors.body('syntax') ?? error)
      const refusal =
        typeof body !== 'object' || body === null || Array.isArray(body) ? surface?.errors.body('not-an-object') : undefined
      done(refusal ?? null, body)
    })
  }

  instance.addContentTypeParser('*', { parseAs: 'string' }, parse as never)
  instance.addContentTypeParser('application/octet-stream', (request, payload, done) => {
    if (request.routeOptions.config.declaration?.streamsBody) return done(null, payload)
    done(request.surface?.errors.body('media-type') ?? null, undefined)
  })
}
