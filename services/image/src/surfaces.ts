import type { Surface } from '@nubo/service-kit'
import { commonStatuses, glanceErrors, plainInputMessage, type ErrorStyle } from '@nubo/wire'
import type { ImageConfiguration } from './configuration.js'

/** Glance reads any body as JSON, whatever its Content-Type says, and names the schema that an input breaks. */
const imageErrors: ErrorStyle = {
  ...glanceErrors,
  // openstacksdk uploads with an empty Accept, and shows a person what an error says only if that is HTML or JSON. Glance's text
  // leaves them with 'Unsupported Media Type' alone.
  render: (fault, request) => glanceErrors.render(fault, { ...request, accept: request.accept || '*/*' }),
  body: (problem) => (problem === 'media-type' ? undefined : glanceErrors.body(problem)),
  input: (error) => `Provided object does not match schema 'image': ${plainInputMessage(error)}`,
}

/** For programs of ours. */
const agentErrors: ErrorStyle = {
  ...glanceErrors,
  statuses: commonStatuses,
  render: (fault) => ({
    status: fault.status,
    contentType: 'application/json',
    headers: { ...fault.headers, ...(fault.unauthenticated && { 'WWW-Authenticate': 'Bearer' }) },
    body: JSON.stringify({ error: { code: fault.status, message: fault.message } }),
  }),
}

export function imageSurfaces({ identityUrl }: ImageConfiguration): Surface[] {
  const common = { identityUrl, jsonMediaTypes: ['application/json', ''], requestIdHeaders: [] }
  return [
    { ...common, name: 'image', prefix: '/v2', errors: imageErrors, guardsUnknownPaths: true },
    { ...common, name: 'image bytes for hosts', prefix: '/nubo/v1', errors: agentErrors, guardsUnknownPaths: false },
  ]
}
