import { describe, expect, it } from '@jest/globals'
import { CloudError, type ErrorKind } from '@nubo/kernel'
import { glanceErrors, keystoneErrors, novaErrors } from './error-styles.js'
import { faultOf, WireError, type ErrorStyle, type FaultedRequest } from './errors.js'

const request: FaultedRequest = {
  requestId: 'req-1',
  accept: 'application/json',
  identityUrl: 'http://cloud:5000/v3',
  unrouted: false,
}

const answer = (style: ErrorStyle, error: unknown, changes: Partial<FaultedRequest> = {}) => {
  const rendered = style.render(faultOf(error, style, request.requestId), { ...request, ...changes })
  return { ...rendered, body: rendered.contentType.startsWith('application/json') ? JSON.parse(rendered.body) : rendered.body }
}

describe('Nova', () => {
  it.each<[ErrorKind, number, string]>([
    ['Invalid', 400, 'badRequest'],
    ['Forbidden', 403, 'forbidden'],
    ['NotFound', 404, 'itemNotFound'],
    ['Conflict', 409, 'conflictingRequest'],
    ['QuotaExceeded', 403, 'forbidden'],
    ['TooLarge', 413, 'overLimit'],
    ['UnsupportedMedia', 415, 'badMediaType'],
    ['Unavailable', 503, 'serviceUnavailable'],
  ])('names %s as the real service does', (kind, status, name) => {
    const { status: answered, body } = answer(novaErrors, new CloudError(kind, 'Why.'))
    expect([answered, body]).toEqual([status, { [name]: { code: status, message: 'Why.' } }])
  })

  it('says when to try again', () => {
    const rendered = answer(novaErrors, new CloudError('Unavailable', 'Busy.', { details: { retryAfterSeconds: 3 } }))
    expect(rendered.headers).toEqual({ 'Retry-After': '3' })
    const limited = answer(novaErrors, new WireError(429, 'Slow.', { headers: { 'Retry-After': '5' } }))
    expect(limited.body).toEqual({ overLimit: { code: 429, message: 'Slow.', retryAfter: '5' } })
  })

  it('leaves a missing token to the middleware in front of it', () => {
    const rendered = answer(novaErrors, new CloudError('Unauthenticated', 'The request you have made requires authentication.'))
    expect(rendered.headers).toEqual({ 'WWW-Authenticate': 'Keystone uri="http://cloud:5000/v3"' })
    expect(rendered.body.error).toEqual({
      code: 401,
      message: 'The request you have made requires authentication.',
      title: 'Unauthorized',
    })
  })
})

describe('Glance', () => {
  const missing = new CloudError('NotFound', "No image found with ID 'x' <b>")

  it('answers a browser with HTML, in which nothing of the message is markup', () => {
    const { contentType, body } = answer(glanceErrors, missing, { accept: 'text/html,application/json;q=0.9' })
    expect(contentType).toBe('text/html; charset=UTF-8')
    expect(body).toBe(
      '<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found with ID &#x27;x&#x27; &lt;b&gt;<br /><br />\n\n\n\n </body>\n</html>',
    )
  })

  it.each([
    ['application/json', 'application/json; charset=UTF-8'],
    ['*/*', 'text/html; charset=UTF-8'],
    ['application/*;q=0.5, text/html;q=0.1', 'application/json; charset=UTF-8'],
    ['text/html;q=0, application/json', 'application/json; charset=UTF-8'],
    ['image/png', 'text/plain; charset=UTF-8'],
    [undefined, 'text/plain; charset=UTF-8'],
  ])('answers Accept: %s with %s', (accept, contentType) => {
    expect(answer(glanceErrors, missing, { accept }).contentType).toBe(contentType)
  })

  it('calls what is over a quota too large', () => {
    expect(answer(glanceErrors, new CloudError('QuotaExceeded', 'Full.')).status).toBe(413)
  })
})

it.each([
  ['Nova', novaErrors],
  ['Keystone', keystoneErrors],
  ['Glance', glanceErrors],
])('%s says nothing of a defect but the id of the request', (_name, style) => {
  for (const error of [new Error('password=secret'), new CloudError('Bug', 'secret invariant'), 'secret', undefined]) {
    const rendered = style.render(faultOf(error, style, 'req-7'), request)
    expect(rendered.status).toBe(500)
    expect(rendered.body).toContain('req-7')
    expect(rendered.body).not.toContain('secret')
  }
})

it('Keystone takes no media type but JSON, Nova none it does not know', () => {
  expect(keystoneErrors.body('media-type')).toMatchObject({ kind: 'Invalid' })
  expect(keystoneErrors.body('not-an-object')).toMatchObject({ kind: 'Invalid' })
  expect(novaErrors.body('media-type')).toMatchObject({ kind: 'UnsupportedMedia' })
  expect(novaErrors.body('not-an-object')).toBeUndefined()
})
