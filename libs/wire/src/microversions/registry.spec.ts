import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { microversion } from './change.js'
import { negotiate, type VersionRange } from './negotiation.js'
import { ignoreQuery, ignoreQueryExcept, objectAt, refuseKeys } from './refuse.js'
import { MicroversionRegistry } from './registry.js'
import { sourceOf, withSource } from './sources.js'
import { microversionTable } from './table.js'

const range: VersionRange = {
  service: 'compute',
  major: 2,
  minimum: 1,
  maximum: 9,
  legacyHeader: 'x-openstack-nova-api-version',
}
const context = { baseUrl: 'http://c', operation: 'thing.show', parameters: {} }

describe('a registry', () => {
  const registry = new MicroversionRegistry(range, [
    microversion('2.8', 'colour is an object', {
      responses: {
        thing: (thing) => {
          thing.colour = thing.colour.name
        },
      },
    }),
    microversion('2.3', 'things have a colour', {
      responses: {
        thing: (thing) => {
          thing.seen = [...(thing.seen ?? []), thing.colour]
          delete thing.colour
        },
      },
      requests: { 'thing.create': refuseKeys(['thing'], ['colour']) },
    }),
    microversion('2.5', 'the list is wrapped', {
      responses: {
        'thing.list': (body) => {
          body.wrapped = true
        },
      },
      statusesBefore: { 'thing.create': 200 },
      removed: ['thing.poke'],
      added: ['thing.prod'],
    }),
  ])
  const show = (minor: number) => {
    const body = { thing: { colour: { name: 'red' } } }
    registry.plan('thing.show', { thing: 'thing' }, minor).downgrade?.(body, context)
    return body
  }

  it('takes changes off from the newest down, each in the shapes of its own version', () => {
    expect(show(9)).toEqual({ thing: { colour: { name: 'red' } } })
    expect(show(8)).toEqual({ thing: { colour: { name: 'red' } } })
    expect(show(7)).toEqual({ thing: { colour: 'red' } })
    expect(show(3)).toEqual({ thing: { colour: 'red' } })
    expect(show(2)).toEqual({ thing: { seen: ['red'] } })
  })

  it('has nothing to do in the newest version', () => {
    const plan = registry.plan('thing.show', { thing: 'thing' }, 9)
    expect(plan).toEqual({ available: true, status: undefined, upgrade: undefined, downgrade: undefined })
    expect(registry.plan('thing.show', { thing: 'thing' }, 9)).toBe(plan)
  })

  it('edits every item of a list, and the body of an operation', () => {
    const body = { things: [{ colour: { name: 'red' } }, { colour: { name: 'blue' } }] }
    registry.plan('thing.list', { things: ['thing'] }, 4).downgrade!(body, context)
    expect(body).toEqual({ wrapped: true, things: [{ colour: 'red' }, { colour: 'blue' }] })
  })

  it('knows what exists when, and with which status', () => {
    const available = (operation: string) => [4, 5].map((minor) => registry.plan(operation, {}, minor).available)
    expect(available('thing.poke')).toEqual([true, false])
    expect(available('thing.prod')).toEqual([false, true])
    expect(available('thing.show')).toEqual([true, true])
    expect([4, 5].map((minor) => registry.plan('thing.create', {}, minor).status)).toEqual([200, undefined])
  })

  it('refuses what came later', () => {
    const create = (minor: number) => () =>
      registry.plan('thing.create', {}, minor).upgrade?.({ body: { thing: { colour: 'red' } }, query: {} })
    expect(create(3)).not.toThrow()
    expect(create(2)).toThrow(expect.objectContaining({ kind: 'Invalid' }))
  })

  it('survives any body on its way up', () => {
    fc.assert(
      fc.property(fc.anything(), fc.integer({ min: 1, max: 9 }), (body, minor) => {
        try {
          registry.plan('thing.create', {}, minor).upgrade?.({ body, query: {} })
        } catch (error) {
          expect(error).toMatchObject({ kind: 'Invalid' })
        }
      }),
    )
  })

  it('takes no change outside of its range', () => {
    expect(() => new MicroversionRegistry(range, [microversion('2.10', 'too late')])).toThrow('2.10 is out of range')
    expect(() => microversion('2.x', 'nonsense')).toThrow("'2.x' is no microversion")
  })

  it('tells its table', () => {
    const catalogue = [
      { version: '2.3', change: 'Colours | shades' },
      { version: '2.4', change: 'Sounds' },
    ]
    const table = microversionTable(registry, catalogue)
    expect(table).toContain('| 2.3 | Colours \\| shades | here | things have a colour |')
    expect(table).toContain('| 2.4 | Sounds | not built |  |')
    expect(table).toContain('1 of 2 here, 0 partly, 1 not built.')
  })
})

it.each<[Record<string, string>, number]>([
  [{}, 1],
  [{ 'openstack-api-version': 'compute 2.7' }, 7],
  [{ 'openstack-api-version': 'Compute   2.7' }, 7],
  [{ 'openstack-api-version': 'volume 3.1, compute 2.2, compute 2.4' }, 4],
  [{ 'openstack-api-version': 'volume 3.1' }, 1],
  [{ 'openstack-api-version': 'compute latest' }, 9],
  [{ 'x-openstack-nova-api-version': '2.5' }, 5],
  [{ 'x-openstack-nova-api-version': '2.5', 'openstack-api-version': 'compute 2.6' }, 6],
])('%j asks for 2.%i', (headers, minor) => {
  expect(negotiate(headers, range)).toBe(minor)
})

it('answers any header with a version, a 400 or a 406', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(negotiate({ 'openstack-api-version': `compute ${text}` }, range)).toBeGreaterThan(0)
      } catch (error) {
        expect(error).toMatchObject({ kind: 'Invalid' })
      }
    }),
  )
})

it('hangs sources on views unseen', () => {
  const view = withSource({ id: 1 }, { secret: 2 })
  expect(JSON.stringify(view)).toBe('{"id":1}')
  expect({ ...view }).toEqual({ id: 1 })
  expect(sourceOf<{ secret: number }>(view).secret).toBe(2)
})

it('edits queries', () => {
  const query = { a: '1', b: '2', c: '3' }
  ignoreQuery(['a'])({ body: undefined, query })
  expect(query).toEqual({ b: '2', c: '3' })
  ignoreQueryExcept(['c'])({ body: undefined, query })
  expect(query).toEqual({ c: '3' })
})

it('finds objects alone', () => {
  expect(objectAt({ a: { b: { c: 1 } } }, 'a', 'b')).toEqual({ c: 1 })
  for (const value of [null, undefined, 'text', { a: [] }, { a: null }]) expect(objectAt(value, 'a')).toBeUndefined()
  expect(objectAt({}, 'constructor')).toBeUndefined()
})
