import { InputError, pythonRepr, type InputPlace } from '@nubo/wire'
import { z } from 'zod'

// What parameters of several resources have in common: Nova's `nova/api/validation/parameter_types.py`.

/** The largest number that a column of the database takes. */
export const maxInteger = 0x7f_ff_ff_ff

/** Letters, marks, numbers, punctuation, symbols and spaces: nothing that moves a cursor or breaks a line. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u

/** A name of 1 to 255 printable characters, without white space around it. */
export const printableName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => printable.test(name) && name.trim() === name, {
    error: "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with whitespace.",
  })

export const printableText = (maxCharacters: number) =>
  z
    .string()
    .max(maxCharacters)
    .refine((text) => printable.test(text), { error: ({ input }) => `${pythonRepr(input)} is not printable text` })

/** An integer, as a number or as its digits; Nova takes both. */
export function integerLike({ minimum, maximum = maxInteger }: { minimum: number; maximum?: number }): z.ZodType<number> {
  const digits = minimum < 0 ? '^-?[0-9]+$' : '^[0-9]+$'
  return z.unknown().transform((value, context) => {
    const number = typeof value === 'string' ? Number(value) : value
    if (value === undefined) context.issues.push({ code: 'invalid_type', expected: 'int', input: value })
    else if (typeof value === 'string' && !new RegExp(digits).test(value))
      context.issues.push({ code: 'invalid_format', format: 'regex', pattern: digits, input: value })
    else if (typeof number !== 'number' || (Number.isFinite(number) && !Number.isInteger(number)))
      context.issues.push({ code: 'custom', message: `${pythonRepr(value)} is not of type 'integer', 'string'`, input: value })
    else if (number < minimum) context.issues.push({ code: 'too_small', origin: 'int', minimum, inclusive: true, input: value })
    else if (number > maximum) context.issues.push({ code: 'too_big', origin: 'int', maximum, inclusive: true, input: value })
    else return number
    return z.NEVER
  })
}

const trueWords = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes']
const falseWords = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']

const booleanWords: (boolean | string)[] = [true, ...trueWords, false, ...falseWords]

const notBoolean = ({ input }: { input?: unknown }) => `${pythonRepr(input)} is not one of ${pythonRepr(booleanWords)}`
const isTrue = (value: boolean | string) => value === true || trueWords.includes(value as string)

/** One of Nova's words for a boolean. */
export const booleanWord = z
  .string()
  .refine((word) => booleanWords.includes(word), { error: notBoolean })
  .transform(isTrue)

/** A boolean or a word for it. */
export const booleanLike = z
  .union([z.boolean(), z.string()])
  .refine((value) => booleanWords.includes(value), { error: notBoolean })
  .transform(isTrue)

/** What oslo's strict bool_from_string reads; undefined for anything else. */
export function looseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase()
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(word)) return true
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(word)) return false
  return undefined
}

/** A host name as Nova has them: letters, digits, dots, dashes and underscores. */
export const hostName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9-._]*$/)

/** A parameter of the query that may be given several times; the last one counts. */
export const repeatable = <Output>(schema: z.ZodType<Output, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? value : value.at(-1)!))
    .pipe(schema)
    .optional()

/** A parameter of the query that may be given once. */
export const single = <Output>(schema: z.ZodType<Output, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .refine((value) => typeof value === 'string', { error: ({ input }) => `${pythonRepr(input)} is too long` })
    .transform((value) => value as string)
    .pipe(schema)
    .optional()

/** As many as there are digits: whatever is above the largest page is the largest page. */
export const nonNegativeInteger = z
  .string()
  .min(1)
  .regex(/^[0-9]*$/)
  .transform(Number)

/** A moment, as it was written. */
export const dateTime = z.string().refine((text) => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text)), {
  error: ({ input }) => `${pythonRepr(input)} is not a 'date-time'`,
})

/** `value` as `schema` has it, for what no decorator can check because its schema depends on the request. */
export function parse<Output>(schema: z.ZodType<Output>, value: unknown, place: InputPlace = 'body'): Output {
  const result = schema.safeParse(value)
  if (!result.success) throw new InputError(place, value, result.error.issues)
  return result.data
}

/** For a key that only newer versions require: throws what its schema would. `path` is of two keys and more. */
export function requireKey(body: object, path: readonly string[]): void {
  let value: unknown = body
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key]
  if (value === undefined)
    throw new InputError('body', body, [
      { code: 'invalid_type', expected: 'string', path: [...path], message: '', input: undefined },
    ])
}
