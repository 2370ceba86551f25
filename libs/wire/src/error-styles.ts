import { STATUS_CODES } from 'node:http'
import { CloudError } from '@nubo/kernel'
import { commonStatuses, type ErrorStyle, type Fault, type FaultedRequest, type RenderedError } from './errors.js'
import { keystoneInputMessage, neutronInputMessage, novaInputMessage, plainInputMessage } from './schema-messages.js'
import { renderAsWebOb } from './webob.js'

const json = 'application/json'

/** What keystonemiddleware answers in front of every service, and what Keystone itself answers: the same body. */
function renderAsKeystone(fault: Fault, request: FaultedRequest): RenderedError {
  const headers = fault.unauthenticated
    ? { ...fault.headers, 'WWW-Authenticate': `Keystone uri="${request.identityUrl}"` }
    : fault.headers
  const title = STATUS_CODES[fault.status] ?? 'Error'
  return {
    status: fault.status,
    contentType: json,
    headers,
    body: JSON.stringify({ error: { code: fault.status, message: fault.message, title } }),
  }
}

const malformed = (attribute: string, target: string) =>
  new CloudError(
    'Invalid',
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  )

/** Identity: `{"error": {code, message, title}}` (`keystone/server/flask/application.py`, `keystone/exception.py`). */
export const keystoneErrors: ErrorStyle = {
  statuses: commonStatuses,
  render: renderAsKeystone,
  body: (problem) =>
    problem === 'media-type' ? malformed('application/json', 'Content-Type header') : malformed('valid JSON', 'request body'),
  input: keystoneInputMessage,
  denied: (policy) => `You are not authorized to perform the requested action: ${policy}.`,
  bug: (requestId) =>
    `An unexpected error prevented the server from fulfilling your request. Report it with the request id ${requestId}.`,
}

/** Nova's name for each status (`nova/api/openstack/wsgi.py`, `Fault`); every other is a computeFault. */
const novaFaultNames: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
}

/** Compute: `{"itemNotFound": {code, message}}`. Unknown paths are answered by WebOb, missing tokens by keystonemiddleware. */
export const novaErrors: ErrorStyle = {
  statuses: commonStatuses,
  render(fault, request) {
    if (fault.unauthenticated) return renderAsKeystone(fault, request)
    if (request.unrouted) return renderAsWebOb(fault, request.accept)
    const name = novaFaultNames[fault.status] ?? 'computeFault'
    const retryAfter = fault.status === 413 || fault.status === 429 ? fault.headers['Retry-After'] : undefined
    return {
      status: fault.status,
      contentType: `${json}; charset=UTF-8`,
      headers: fault.headers,
      body: JSON.stringify({ [name]: { code: fault.status, message: fault.message, ...(retryAfter && { retryAfter }) } }),
    }
  },
  body(problem) {
    if (problem === 'media-type') return new CloudError('UnsupportedMedia', 'Unsupported Content-Type')
    // What is JSON but no object is for the schema to refuse.
    return problem === 'syntax' ? new CloudError('Invalid', 'Malformed request body') : undefined
  },
  input: novaInputMessage,
  denied: (policy) => `Policy doesn't allow ${policy} to be performed.`,
  bug: (requestId) => `Unexpected API Error. Report it with the request id ${requestId}.`,
}

/** Image: WebOb's errors as they are, HTML, JSON or text by the Accept header; over a limit is 413. */
export const glanceErrors: ErrorStyle = {
  statuses: { ...commonStatuses, QuotaExceeded: 413 },
  render: (fault, request) => (fault.unauthenticated ? renderAsKeystone(fault, request) : renderAsWebOb(fault, request.accept)),
  body(problem) {
    if (problem === 'media-type')
      return new CloudError('UnsupportedMedia', 'The server does not support the media type of the request body.')
    return problem === 'syntax' ? new CloudError('Invalid', 'Malformed JSON in request body.') : undefined
  },
  input: plainInputMessage,
  denied: (policy) => `You are not authorized to complete ${policy} action.`,
  bug: (requestId) =>
    `The server has either erred or is incapable of performing the requested operation. Report it with the request id ${requestId}.`,
}

/** What Neutron calls an error that no exception of its own is behind: WebOb's names. */
const neutronTypes: Readonly<Record<number, string>> = {
  400: 'HTTPBadRequest',
  403: 'PolicyNotAuthorized',
  404: 'HTTPNotFound',
  405: 'HTTPMethodNotAllowed',
  409: 'HTTPConflict',
  412: 'HTTPPreconditionFailed',
  413: 'HTTPRequestEntityTooLarge',
  415: 'HTTPUnsupportedMediaType',
  503: 'HTTPServiceUnavailable',
}

/** Network: `{"NeutronError": {type, message, detail}}` (`neutron/pecan_wsgi/hooks/translation.py`). */
export const neutronErrors: ErrorStyle = {
  statuses: { ...commonStatuses, QuotaExceeded: 409, NoCapacity: 409 },
  render(fault, request) {
    if (fault.unauthenticated) return renderAsKeystone(fault, request)
    const type = fault.type ?? neutronTypes[fault.status] ?? 'HTTPInternalServerError'
    return {
      status: fault.status,
      contentType: json,
      headers: fault.headers,
      body: JSON.stringify({ NeutronError: { type, message: fault.message, detail: '' } }),
    }
  },
  // Neutron takes every body for JSON, whatever its Content-Type says.
  body: (problem) => (problem === 'syntax' ? new CloudError('Invalid', 'Malformed request body') : undefined),
  input: neutronInputMessage,
  denied: (policy) => `rule:${policy} is disallowed by policy`,
  bug: (requestId) =>
    `Request Failed: internal server error while processing your request. Report it with the request id ${requestId}.`,
}

/** 404 of a path or method that does not exist, in the words of the real services' routers. */
export const unroutedMessage = 'The resource could not be found.'
