import { describe, expect, it } from '@jest/globals'
import { messageIn } from './errors.js'

describe('messageIn', () => {
  it.each([
    [
      'Keystone',
      '{"error":{"code":404,"message":"Could not find project: x.","title":"Not Found"}}',
      'Could not find project: x.',
    ],
    ['Nova', '{"itemNotFound":{"code":404,"message":"Instance x could not be found."}}', 'Instance x could not be found.'],
    [
      'Neutron',
      '{"NeutronError":{"type":"NetworkNotFound","message":"Network x could not be found.","detail":""}}',
      'Network x could not be found.',
    ],
    [
      'Placement',
      '{"errors":[{"status":409,"title":"Conflict","detail":"generation conflict","code":"placement.concurrent_update"}]}',
      'generation conflict',
    ],
    [
      'Glance in JSON',
      '{"message":"Image x is protected.<br /><br />\\n\\n\\n","code":"403 Forbidden","title":"Forbidden"}',
      'Image x is protected.',
    ],
    ['a proxy in JSON', '{"message":"no healthy upstream"}', 'no healthy upstream'],
    ['a proxy in text', 'upstream connect error\n', 'upstream connect error'],
  ])('reads the message of %s', (_service, body, message) => {
    expect(messageIn(body, 'application/json')).toBe(message)
  })

  it('reads the sentence in the HTML of Glance', () => {
    const body =
      '<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1>You are not &lt;authorized&gt;.<br /><br /></body></html>'
    expect(messageIn(body, 'text/html; charset=UTF-8')).toBe('You are not <authorized>.')
    expect(messageIn('<html><body>502 Bad Gateway</body></html>', 'text/html')).toBe('502 Bad Gateway')
  })

  it('finds none where there is none, and makes what it finds fit for a terminal', () => {
    for (const body of ['', '{}', 'null', '[]', '{"x":1}', '{broken']) expect(messageIn(body, 'application/json')).toBeUndefined()
    expect(messageIn('{"badRequest":{"message":"a\\u001b[31mb\\nc"}}', 'application/json')).toBe('a\\x1b[31mb c')
  })
})
