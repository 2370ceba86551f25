import { maxPasswordCharacters } from '@nubo/auth'
import { z } from 'zod'

// What Keystone's JSON schemas ask of the parts that several resources share (`keystone/common/validation`).

export const identityId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-zA-Z0-9-]+$/)
/** Of projects and domains. */
export const resourceName = z.string().min(1).max(64).regex(/[\S]+/)
/** Of users and roles. */
export const longName = z.string().min(1).max(255).regex(/[\S]+/)
export const description = z.string().max(4_096).nullable()
export const password = z.string().min(1).max(maxPasswordCharacters)
/** Options and tags are taken where they say nothing: the real client sends them empty. */
export const noOptions = z.strictObject({}).optional()
export const noTags = z.array(z.string()).max(0).optional()

/** Fields that every record is shown with and nobody sets: sent back, they are passed over. */
const shownAlone = new Set(['id', 'links'])

/** `shape`, and in `extra` whatever else a client wants kept and shown with a record: Keystone takes any field. */
export const recordWithExtra = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape).transform((given) => {
    const isOwn = ([name]: [string, unknown]) => Object.hasOwn(shape, name)
    const others = Object.entries(given).filter((entry) => !isOwn(entry) && !shownAlone.has(entry[0]))
    const own = Object.fromEntries(Object.entries(given).filter(isOwn)) as z.output<z.ZodObject<Shape>>
    return { ...own, extra: Object.fromEntries(others) }
  })

/** A query flag: Keystone takes everything but these for true, an empty value included. */
const falseWords = new Set(['0', 'false', 'no', 'off', 'f', 'n'])
export const queryFlag = z
  .string()
  .transform((text) => !falseWords.has(text.toLowerCase()))
  .optional()

/** Query parameters that are none of ours are passed over, as Keystone does. A repeated one counts once, with its last value. */
export const query = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess(lastOfEach, z.object(shape))

function lastOfEach(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, Array.isArray(item) ? item.at(-1) : item]))
}
