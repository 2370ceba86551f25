import { isIP } from 'node:net'
import { parsePrefix } from '@nubo/domain'
import { isUuid } from '@nubo/kernel'
import { pythonRepr, pythonStr } from '@nubo/wire'
import { z } from 'zod'
import { looseBoolean } from '../../compute/parameter-types.js'

// What attributes may hold, refused in the words of `neutron_lib/api/validators/__init__.py`.

/** Why a value is not taken. */
export class Refusal {
  constructor(readonly reason: string) {}
}

/** A type of values that `read` takes or refuses; `shape` is what comes of it. */
export const attributeType = <Output>(shape: z.ZodType<Output>, read: (value: unknown) => Output | Refusal): z.ZodType<Output> =>
  z
    .unknown()
    .transform((value, context) => {
      const result = read(value)
      if (!(result instanceof Refusal)) return result
      context.issues.push({ code: 'custom', message: result.reason, input: value })
      return z.NEVER
    })
    .pipe(shape as z.ZodType<Output, Awaited<Output>>)

const notValid = (value: unknown, what: string) => new Refusal(`'${pythonStr(value)}' is not a valid ${what}`)

/** PostgreSQL's text holds no half of a surrogate pair, and no NUL. */
const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed() && !value.includes('\0')

export const shortText = (maxCharacters: number) =>
  attributeType(z.string(), (value) => {
    if (!isText(value)) return notValid(value, 'string')
    return value.length <= maxCharacters ? value : new Refusal(`'${pythonStr(value)}' exceeds maximum length of ${maxCharacters}`)
  })

export const nameText = shortText(255)
export const descriptionText = shortText(255)

/** Text of at least one character. */
export const someText = (maxCharacters: number) =>
  shortText(maxCharacters).refine((text) => text.trim() !== '', {
    error: ({ input }) => `'${pythonStr(input)}' Blank strings are not permitted`,
  })

export const uuidText = attributeType(z.string(), (value) => {
  const text = isText(value) ? value.toLowerCase() : ''
  return isUuid(text) ? text : notValid(value, 'UUID')
})

/** A boolean, or a word or number for one. */
export const booleanLike = attributeType(z.boolean(), (value) => {
  const isWord = typeof value === 'string' || typeof value === 'boolean' || value === 0 || value === 1
  const read = isWord ? looseBoolean(String(value)) : undefined
  return read ?? new Refusal(`${pythonRepr(value)} cannot be converted to boolean`)
})

/** An integer, or its digits. */
export const integerLike = (minimum: number, maximum: number) =>
  attributeType(z.number(), (value) => {
    const number = typeof value === 'string' && /^\s*-?\d{1,15}\s*$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) return new Refusal(`${pythonRepr(value)} is not an integer`)
    if (number < minimum) return new Refusal(`${pythonRepr(value)} is too small - must be at least '${minimum}'`)
    if (number > maximum) return new Refusal(`${pythonRepr(value)} is too large - must be no larger than '${maximum}'`)
    return number
  })

export const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  attributeType(z.enum(values), (value) =>
    values.includes(value as string)
      ? (value as Values[number])
      : new Refusal(`${pythonRepr(value)} is not in ${pythonRepr(values)}`),
  )

/** An address of either version, as it was written. */
export const ipAddress = attributeType(z.string(), (value) =>
  isText(value) && isIP(value) !== 0 && !value.includes('%') ? value : notValid(value, 'IP address'),
)

/** A network with its length of prefix, as it was written. */
export const ipPrefix = attributeType(z.string(), (value) =>
  isText(value) && value.includes('/') && parsePrefix(value) ? value : notValid(value, 'IP subnet'),
)

/** 4 or 6, as a number or a digit. */
export const ipVersion = attributeType<4 | 6>(z.union([z.literal(4), z.literal(6)]), (value) => {
  const version = Number(value)
  return version === 4 || version === 6 ? version : new Refusal(`${pythonRepr(value)} is not in [4, 6]`)
})

/** At most so many as a person could mean. */
const mostInList = 1_000

/** A list without repetition. */
export const listOf = <Schema extends z.ZodType>(element: Schema) =>
  attributeType(z.array(z.unknown()), (value) => {
    if (!Array.isArray(value)) return new Refusal(`${pythonRepr(value)} is not a list`)
    if (value.length > mostInList) return new Refusal(`the list has more than ${mostInList} items`)
    const distinct = new Set(value.map((item) => JSON.stringify(item)))
    return distinct.size < value.length ? new Refusal(`Duplicate items in the list: ${pythonRepr(value)}`) : value
  }).pipe(z.array(element))

/** As `listOf`; null is an empty one. */
export const listOrNone = <Schema extends z.ZodType>(element: Schema) =>
  listOf(element)
    .nullable()
    .transform((list) => list ?? [])

export const listOfTexts = (maxCharacters: number) => listOf(shortText(maxCharacters))
