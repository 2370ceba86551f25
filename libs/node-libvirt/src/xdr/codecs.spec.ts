import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { calls, sessionCalls, type Call } from '../protocol/calls.js'
import { events } from '../protocol/events.js'
import {
  asParameters,
  characters,
  domain,
  typedParameter,
  typedValue,
  uuid,
  version,
  wireError,
  type TypedValue,
} from '../protocol/types.js'
import { XdrError } from './bytes.js'
import {
  array,
  decode,
  double,
  encode,
  fixedOpaque,
  hyper,
  int,
  opaque,
  optional,
  struct,
  text,
  uhyper,
  uint,
  type Codec,
} from './codecs.js'

/** Strings that a C string can hold. */
const cString = fc.string({ unit: 'binary', maxLength: 64 }).filter((value) => !value.includes('\0'))
const aUuid = fc.uuid()
const aDomain = fc.record(
  { name: cString, uuid: aUuid, id: fc.integer({ min: 0, max: 0x7fffffff }) },
  { requiredKeys: ['name', 'uuid'], noNullPrototype: true },
)
const aTypedValue: fc.Arbitrary<TypedValue> = fc.oneof(
  fc.record({ type: fc.constant('int' as const), value: fc.integer() }),
  fc.record({ type: fc.constant('uint' as const), value: fc.nat(0xffffffff) }),
  fc.record({ type: fc.constant('llong' as const), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) }),
  fc.record({ type: fc.constant('ullong' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constant('double' as const), value: fc.double() }),
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('string' as const), value: cString }),
)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const roundTrips: [string, Codec<any>, fc.Arbitrary<unknown>][] = [
  ['int', int, fc.integer()],
  ['unsigned int', uint, fc.nat(0xffffffff)],
  ['hyper', hyper, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['unsigned hyper', uhyper, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  ['double', double, fc.double()],
  ['string', text(1024), cString],
  ['fixed opaque', fixedOpaque(7), fc.uint8Array({ minLength: 7, maxLength: 7 }).map((bytes) => Buffer.from(bytes))],
  ['opaque', opaque(64), fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes))],
  ['optional', optional(text(1024)), maybe(cString)],
  ['array', array(int, 20), fc.array(fc.integer(), { maxLength: 20 })],
  [
    'nested struct',
    struct({ a: int, b: array(struct({ c: optional(int) }), 9) }),
    fc.record({ a: fc.integer(), b: fc.array(fc.record({ c: maybe(fc.integer()) }), { maxLength: 9 }) }),
  ],
  ['UUID', uuid, aUuid],
  ['domain', domain, aDomain],
  ['typed value', typedValue, aTypedValue],
  ['version', version, fc.record({ major: fc.nat(99), minor: fc.nat(999), release: fc.nat(999) })],
  ['char[32]', characters(32), fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '7'), maxLength: 32 })],
]

describe('XDR', () => {
  it.each(roundTrips)('reads the %s that it wrote, in whole words', (_name, codec, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(codec, value)
        expect(bytes.length % 4).toBe(0)
        expect(decode(codec, bytes)).toEqual(value)
      }),
    )
  })

  it.each(roundTrips)('refuses a %s that is cut short or has bytes after it', (_name, codec, values) => {
    fc.assert(
      fc.property(values, fc.nat(), (value, where) => {
        const bytes = encode(codec, value)
        expect(() => decode(codec, bytes.subarray(0, where % bytes.length))).toThrow(XdrError)
        expect(() => decode(codec, Buffer.concat([bytes, Buffer.alloc(4)]))).toThrow(XdrError)
      }),
    )
  })

  it('writes as RFC 4506 says', () => {
    expect(encode(text(9), 'hé').toString('hex')).toBe('0000000368c3a900')
    expect(encode(int, -2).toString('hex')).toBe('fffffffe')
    expect(encode(uhyper, 1n << 32n).toString('hex')).toBe('0000000100000000')
    expect(encode(optional(int), undefined).toString('hex')).toBe('00000000')
    expect(encode(array(int, 2), [1, 2]).toString('hex')).toBe('000000020000000100000002')
  })

  it('writes nothing that the other side would read as something else', () => {
    const refused: [Codec<any>, unknown][] = [
      [text(99), 'cut\0off'],
      [text(99), '\ud800'],
      [text(3), 'four'],
      [int, 2 ** 31],
      [int, 1.5],
      [uint, -1],
      [uhyper, -1n],
      [hyper, 2n ** 63n],
      [uuid, 'not-a-uuid'],
      [fixedOpaque(4), Buffer.alloc(5)],
      [opaque(4), Buffer.alloc(5)],
      [array(int, 1), [1, 2]],
      [characters(2), 'long'],
    ]
    for (const [codec, value] of refused) expect(() => encode(codec, value)).toThrow(XdrError)
  })

  it('takes lengths for what they are: bounded, and no more than is there', () => {
    expect(() => decode(text(8), Buffer.from('00000009', 'hex'))).toThrow('at most 8')
    expect(() => decode(array(int, 8), Buffer.from('00000009', 'hex'))).toThrow('at most 8')
    expect(() => decode(array(int, 0xffffffff), Buffer.from('ffffffff00000001', 'hex'))).toThrow('are left')
    expect(() => decode(optional(int), Buffer.from('0000000200000001', 'hex'))).toThrow('boolean')
  })

  it('keeps parameters whatever they are called', () => {
    const parameters = [{ field: '__proto__', value: { type: 'int', value: 1 } as const }]
    expect(Object.entries(asParameters(decode(array(typedParameter, 9), encode(array(typedParameter, 9), parameters))))).toEqual([
      ['__proto__', 1],
    ])
  })
})

const allCalls: Record<string, Call<unknown, unknown>> = { ...calls, ...sessionCalls } as any
const readers: [string, Pick<Codec<unknown>, 'read'>][] = [
  ...Object.entries(allCalls).map(([name, { result }]): [string, Pick<Codec<unknown>, 'read'>] => [name, result]),
  ...Object.entries(events).map(([name, { body }]): [string, Codec<unknown>] => [`${name} event`, body as Codec<unknown>]),
  ['error', wireError],
]

describe('hostile bytes', () => {
  /** Random bytes rarely get past a length field; small words do. */
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 256 }).map((bytes) => Buffer.from(bytes)),
    fc.array(fc.oneof(fc.nat(3), fc.nat(64), fc.nat(0xffffffff)), { maxLength: 64 }).map((words) => {
      const bytes = Buffer.alloc(words.length * 4)
      words.forEach((word, index) => bytes.writeUInt32BE(word, index * 4))
      return bytes
    }),
  )

  it.each(readers)('as %s: read, or refused as XDR', (_name, reader) => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        try {
          decode(reader, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(XdrError)
        }
      }),
    )
  })

  it('no two calls or events share a procedure number by mistake', () => {
    const numbers = [...Object.values(allCalls), ...Object.values(events)].map(({ procedure }) => procedure)
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})
