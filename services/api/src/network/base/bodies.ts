import { z } from 'zod'
import type { Attribute, Attributes } from './attribute.js'

/** The body of a request that makes one resource, or several at once. */
export interface CreateBody<Item> {
  items: Item[]
  /** They came as a list, and are answered as one. */
  isBulk: boolean
}

/** No more than can be made within the time that somebody waits. */
const mostAtOnce = 500

/** `{"network": {...}}` or `{"networks": [{...}]}`. */
export function createBodySchema<Row>(
  singular: string,
  plural: string,
  attributes: Attributes<Row>,
): z.ZodType<CreateBody<Record<string, unknown>>> {
  const one = itemSchema(attributes, 'create')
  return z
    .looseObject(
      { [singular]: one.optional(), [plural]: z.array(one).min(1).max(mostAtOnce).optional() },
      { error: 'Resource body required' },
    )
    .transform((body, context) => {
      const [list, item] = [body[plural], body[singular]]
      if (Array.isArray(list)) return { items: list as Record<string, unknown>[], isBulk: true }
      if (item !== undefined) return { items: [item as Record<string, unknown>], isBulk: false }
      context.issues.push(absent(singular, body))
      return z.NEVER
    })
}

/** `{"network": {...}}`, with what is to be changed. */
export function updateBodySchema<Row>(singular: string, attributes: Attributes<Row>): z.ZodType<Record<string, unknown>> {
  return z
    .looseObject({ [singular]: itemSchema(attributes, 'update').optional() }, { error: 'Resource body required' })
    .transform((body, context) => {
      const item = body[singular]
      if (item !== undefined) return item as Record<string, unknown>
      context.issues.push(absent(singular, body))
      return z.NEVER
    })
}

const absent = (singular: string, input: unknown) => ({
  code: 'custom' as const,
  message: `Unable to find '${singular}' in request body`,
  input,
})

function itemSchema<Row>(attributes: Attributes<Row>, on: 'create' | 'update') {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, attribute] of Object.entries(attributes)) {
    const { input } = attribute
    if (!input || !isGivable(attribute, on)) continue
    shape[name] = attribute.required && on === 'create' ? input : input.optional()
  }
  const required = Object.keys(shape).filter((name) => on === 'create' && attributes[name]!.required)
  return z
    .looseObject({})
    .check((context) => {
      // Before any value is looked at, as Neutron does.
      const message = refusal(Object.keys(context.value), shape, attributes, on) ?? missing(context.value, required)
      if (message !== undefined)
        context.issues.push({ code: 'unrecognized_keys', keys: [], message, input: context.value, continue: false })
    })
    .pipe(z.object(shape))
}

const isGivable = <Row>({ input, on: only }: Attribute<Row>, on: 'create' | 'update') =>
  input !== undefined && (only === undefined || only === on)

function refusal<Row>(
  given: readonly string[],
  shape: Record<string, z.ZodType>,
  attributes: Attributes<Row>,
  on: 'create' | 'update',
): string | undefined {
  const unknown = given.filter((name) => !Object.hasOwn(attributes, name))
  if (unknown.length > 0) return `Unrecognized attribute(s) '${unknown.join(', ')}'`
  const [fixed] = given.filter((name) => !Object.hasOwn(shape, name))
  if (fixed === undefined) return undefined
  return on === 'create' ? `Attribute '${fixed}' not allowed in POST` : `Cannot update read-only attribute ${fixed}`
}

function missing(given: Record<string, unknown>, required: readonly string[]): string | undefined {
  const [name] = required.filter((each) => given[each] === undefined)
  return name === undefined ? undefined : `Failed to parse request. Required attribute '${name}' not specified`
}
