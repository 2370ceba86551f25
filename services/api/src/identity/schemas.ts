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
