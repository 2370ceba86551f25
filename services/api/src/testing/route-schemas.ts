import { ModulesContainer } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import type { z } from 'zod'

/** The schemas that a route holds its input against. */
export interface RouteSchemas {
  body?: z.ZodType
  query?: z.ZodType
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']
/** Nest's numbers for parameters (`RouteParamtypes`): the metadata of a handler is keyed by '<number>:<position>'. */
const parameterKinds: Record<string, keyof RouteSchemas> = { 3: 'body', 4: 'query' }

/** By 'POST /v3/users'. */
export function routeSchemas(app: NestFastifyApplication): Map<string, RouteSchemas> {
  const found = new Map<string, RouteSchemas>()
  for (const module of app.get(ModulesContainer).values())
    for (const { metatype } of module.controllers.values()) {
      const { prototype } = metatype as { prototype: Record<string, object> }
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const method = name === 'constructor' ? undefined : Reflect.getMetadata('method', prototype[name]!)
        if (typeof method !== 'number') continue
        const path = [Reflect.getMetadata('path', metatype!), Reflect.getMetadata('path', prototype[name]!)].join('/')
        found.set(`${methods[method]} ${normal(path)}`, schemasOf(metatype as object, name))
      }
    }
  return found
}

const normal = (path: string) => `/${path.split('/').filter(Boolean).join('/')}`

function schemasOf(controller: object, method: string): RouteSchemas {
  const parameters = (Reflect.getMetadata('__routeArguments__', controller, method) ?? {}) as Record<
    string,
    { schema?: z.ZodType }
  >
  const schemas: RouteSchemas = {}
  for (const [key, { schema }] of Object.entries(parameters)) {
    const kind = parameterKinds[key.split(':', 1)[0]!]
    if (kind && schema) schemas[kind] = schema
  }
  return schemas
}

type Definition = Record<string, unknown> & { type: string }

/** A value of about the shape that `schema` asks for, with everything optional in it: something to spoil bit by bit. */
export function sample(schema: z.ZodType, depth = 0): unknown {
  const definition = (schema as unknown as { def: Definition }).def
  if (depth > 8) return null
  const inner = (key: string) => sample(definition[key] as z.ZodType, depth + 1)
  switch (definition.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(definition['shape'] as Record<string, z.ZodType>).map(([key, value]) => [key, sample(value, depth + 1)]),
      )
    case 'array':
      return [inner('element')]
    case 'record':
      return { a: inner('valueType') }
    case 'union':
      return sample((definition['options'] as z.ZodType[])[0]!, depth + 1)
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
      return inner('innerType')
    case 'pipe':
      return (definition['in'] as { def: Definition }).def.type === 'transform' ? inner('out') : inner('in')
    case 'lazy':
      return sample((definition['getter'] as () => z.ZodType)(), depth + 1)
    case 'enum':
      return Object.values(definition['entries'] as Record<string, unknown>)[0]
    case 'literal':
      return (definition['values'] as unknown[])[0]
    case 'number':
    case 'int':
      return 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return 'a'
  }
}
