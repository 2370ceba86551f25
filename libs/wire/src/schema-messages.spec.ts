import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { z } from 'zod'
import { InputError, type InputPlace } from './input-error.js'
import { pythonRepr } from './python-repr.js'
import { keystoneInputMessage, novaInputMessage, plainInputMessage } from './schema-messages.js'

function failure(schema: z.ZodType, input: unknown, place: InputPlace = 'body'): InputError {
  const result = schema.safeParse(input)
  if (result.success) throw new Error('the input is valid')
  return new InputError(place, input, result.error.issues)
}

const server = z.strictObject({
  server: z.strictObject({
    name: z.string().min(1).max(5),
    flavorRef: z.string().regex(/^[a-z]+$/),
    count: z.int().min(1).max(3).optional(),
    networks: z.union([z.enum(['auto', 'none']), z.array(z.strictObject({ uuid: z.uuid() }))]).optional(),
    metadata: z.record(z.string().max(3), z.string()).optional(),
    tags: z.array(z.string()).max(1).optional(),
    adminPass: z.string().optional(),
  }),
})
const valid = { name: 'a', flavorRef: 'a' }

it.each<[unknown, string]>([
  [{ server: { ...valid, name: '' } }, "Invalid input for field/attribute name. Value: . '' is too short"],
  [
    { server: { ...valid, flavorRef: 'A1' } },
    "Invalid input for field/attribute flavorRef. Value: A1. 'A1' does not match '^[a-z]+$'",
  ],
  [{ server: { ...valid, count: 9 } }, 'Invalid input for field/attribute count. Value: 9. 9 is greater than the maximum of 3'],
  [{ server: { ...valid, count: 0 } }, 'Invalid input for field/attribute count. Value: 0. 0 is less than the minimum of 1'],
  [
    { server: { ...valid, tags: ['a', 'b'] } },
    "Invalid input for field/attribute tags. Value: ['a', 'b']. ['a', 'b'] is too long",
  ],
  [
    { server: { ...valid, networks: 'some' } },
    "Invalid input for field/attribute networks. Value: some. 'some' is not valid under any of the given schemas",
  ],
  [{ server: { ...valid, networks: [{ uuid: 'x' }] } }, "Invalid input for field/attribute uuid. Value: x. 'x' is not a 'uuid'"],
  [
    { server: { name: 'a' } },
    "Invalid input for field/attribute server. Value: {'name': 'a'}. 'flavorRef' is a required property",
  ],
  [{ server: null }, "Invalid input for field/attribute server. Value: None. None is not of type 'object'"],
  [{}, "'server' is a required property"],
  [{ server: valid, extra: 1 }, "Additional properties are not allowed ('extra' was unexpected)"],
  [undefined, "None is not of type 'object'"],
  ['text', "'text' is not of type 'object'"],
])('words %j as Nova does', (input, message) => {
  expect(novaInputMessage(failure(server, input))).toBe(message)
})

it('names the parameter of a query', () => {
  const query = z.strictObject({ limit: z.string().regex(/^\d+$/).optional() })
  expect(novaInputMessage(failure(query, { limit: '-1' }, 'query'))).toBe(
    "Invalid input for query parameters limit. Value: -1. '-1' does not match '^\\\\d+$'",
  )
})

it('repeats no secret', () => {
  for (const input of [{ server: { ...valid, adminPass: 12345 } }, { server: { adminPass: '12345' } }]) {
    const error = failure(server, input)
    for (const word of [novaInputMessage, keystoneInputMessage, plainInputMessage]) expect(word(error)).not.toContain('12345')
  }
})

it('quotes values as Python does, and not without end', () => {
  expect(pythonRepr({ a: [true, null, 1.5], "it's": 'x\ny' })).toBe(`{'a': [True, None, 1.5], "it's": 'x\\ny'}`)
  expect(pythonRepr(`both ' and "`)).toBe(`'both \\' and "'`)
  expect(pythonRepr('x'.repeat(100_000)).length).toBeLessThan(1_010)
})

it('has words for whatever a schema refuses', () => {
  const anything = fc.anything({ withNullPrototype: true })
  const shaped = fc.record({ server: fc.oneof(anything, fc.record({ name: anything, networks: anything, metadata: anything })) })
  fc.assert(
    fc.property(fc.oneof(anything, shaped), (input) => {
      const result = server.safeParse(input)
      if (result.success) return
      const error = new InputError('body', input, result.error.issues)
      for (const word of [novaInputMessage, keystoneInputMessage, plainInputMessage]) expect(word(error)).not.toBe('')
    }),
  )
})
