import { CloudError } from '@nubo/kernel'
import { isReservedName, parseImageBody, readOnlyNames } from './image.schemas.js'

/** One change of an image, checked for its form; `name` is an attribute or a property. */
export type ImageChange =
  | { operation: 'add' | 'replace'; name: string; value: unknown; strictAdd: boolean }
  | { operation: 'remove'; name: string }

const operations = ['add', 'remove', 'replace'] as const
type Operation = (typeof operations)[number]

/** Media types of patches: `{"op": "add", "path": "/x", "value": 1}`, and before that `{"add": "/x", "value": 1}`. */
export const patchMediaTypes = {
  'application/openstack-images-v2.0-json-patch': 'draft 4',
  'application/openstack-images-v2.1-json-patch': 'draft 10',
} as const
type Draft = (typeof patchMediaTypes)[keyof typeof patchMediaTypes]

const invalid = (message: string) => new CloudError('Invalid', message)
const forbidden = (message: string) => new CloudError('Forbidden', message)

/** Reads a patch as Glance does (`images.py`, `RequestDeserializer.update`). Throws Invalid or Forbidden. */
export function readImagePatch(body: unknown, draft: Draft): ImageChange[] {
  if (!Array.isArray(body)) throw invalid('Request body must be a JSON array of operation objects.')
  return body.map((item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw invalid('Operations must be JSON objects.')
    return readChange(item as Record<string, unknown>, draft)
  })
}

function readChange(item: Record<string, unknown>, draft: Draft): ImageChange {
  const operation = draft === 'draft 10' ? readOperation(item) : readOldOperation(item)
  const pointer = draft === 'draft 10' ? item['path'] : item[operation]
  if (pointer === undefined) throw invalid("Unable to find 'path' in JSON Schema change")
  const path = readPointer(pointer)
  const name = path[0]!
  if (name === 'locations') throw forbidden("It's not allowed to update locations if locations are invisible.")
  if (path.length !== 1) throw invalid(`Invalid JSON pointer for this resource: '/${path.join('/')}'`)
  if (operation !== 'remove' && !('value' in item)) throw invalid(`Operation "${operation}" requires a member named "value".`)
  if (name === 'id' || readOnlyNames.has(name)) throw forbidden(`Attribute '${name}' is read-only.`)
  if (isReservedName(name)) throw forbidden(`Attribute '${name}' is reserved.`)
  if (name.length > 255) throw invalid('Custom property should not be greater than 255 characters.')
  if (operation === 'remove') return { operation, name }
  const parsed = parseImageBody(Object.fromEntries([[name, item['value']]]))
  return { operation, name, value: parsed[name], strictAdd: draft === 'draft 4' }
}

function readOperation(item: Record<string, unknown>): Operation {
  const known = `It must be one of the following: ${operations.join(', ')}.`
  const operation = item['op']
  if (operation === undefined || operation === null) throw invalid(`Unable to find \`op\` in JSON Schema change. ${known}`)
  if (!operations.includes(operation as Operation)) throw invalid(`Invalid operation: \`${String(operation)}\`. ${known}`)
  return operation as Operation
}

function readOldOperation(item: Record<string, unknown>): Operation {
  const named = operations.filter((operation) => operation in item)
  if (named.length > 1) throw invalid('Operation objects must contain only one member named "add", "remove", or "replace".')
  if (!named[0]) throw invalid('Operation objects must contain exactly one member named "add", "remove", or "replace".')
  return named[0]
}

/** A JSON pointer (RFC 6901) in the narrow form that Glance takes: no empty parts. */
function readPointer(pointer: unknown): string[] {
  if (typeof pointer !== 'string' || !pointer.startsWith('/'))
    throw invalid(`Pointer \`${String(pointer)}\` does not start with "/".`)
  if (/\/\s*?\//.test(pointer)) throw invalid(`Pointer \`${pointer}\` contains adjacent "/".`)
  if (pointer.length > 1 && pointer.endsWith('/')) throw invalid(`Pointer \`${pointer}\` end with "/".`)
  if (pointer.slice(1).trim() === '') throw invalid(`Pointer \`${pointer}\` does not contains valid token.`)
  if (/~[^01]|~$/.test(pointer)) {
    throw invalid(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`)
  }
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim())
}
