import type { z } from 'zod'
import type { InputError } from './input-error.js'
import { pythonRepr, pythonStr } from './python-repr.js'

type Issue = z.core.$ZodIssue

const pythonTypes: Record<string, string> = {
  string: 'string',
  number: 'number',
  int: 'integer',
  boolean: 'boolean',
  object: 'object',
  record: 'object',
  array: 'array',
  null: 'null',
}

/** The value that `path` names in `input`. */
function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key]
  return value
}

/** What failed: where it is (as jsonschema counts it: a missing key is its parent's fault), its value, and why. */
interface Complaint {
  path: readonly PropertyKey[]
  value: unknown
  reason: string
}

const complaint = (error: InputError, path: readonly PropertyKey[], reason: (value: string) => string): Complaint => {
  const value = valueAt(error.input, path)
  return { path, value, reason: reason(pythonRepr(value, lastName(path))) }
}

const lastName = (path: readonly PropertyKey[]) => (path.length === 0 ? undefined : String(path.at(-1)))

function missing(error: InputError, path: readonly PropertyKey[]): Complaint {
  const parent = path.slice(0, -1)
  return {
    path: parent,
    value: valueAt(error.input, parent),
    reason: `${pythonRepr(String(path.at(-1)))} is a required property`,
  }
}

/** The union branch that came nearest: the one whose first complaint lies deepest. */
function nearestBranch(errors: readonly (readonly Issue[])[]): Issue | undefined {
  return errors
    .map((issues) => issues[0])
    .filter((issue) => issue !== undefined)
    .toSorted((a, b) => b.path.length - a.path.length)[0]
}

/** One zod issue in the words of Python's jsonschema, which Nova and Keystone pass on. */
function describe(error: InputError, issue: Issue, prefix: readonly PropertyKey[] = []): Complaint {
  const path = [...prefix, ...issue.path]
  if (
    path.length > 0 &&
    valueAt(error.input, path) === undefined &&
    issue.code !== 'custom' &&
    issue.code !== 'unrecognized_keys'
  )
    return missing(error, path)
  const say = (reason: (value: string) => string) => complaint(error, path, reason)
  switch (issue.code) {
    case 'invalid_type':
      return say((value) => `${value} is not of type '${pythonTypes[issue.expected] ?? issue.expected}'`)
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? say((value) => `${value} is too long`)
        : issue.origin === 'object' || issue.origin === 'record'
          ? say((value) => `${value} has too many properties`)
          : say((value) => `${value} is greater than the maximum of ${issue.maximum}`)
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? say((value) => `${value} is too short`)
        : issue.origin === 'object' || issue.origin === 'record'
          ? say((value) => `${value} does not have enough properties`)
          : say((value) => `${value} is less than the minimum of ${issue.minimum}`)
    case 'invalid_format':
      return issue.format === 'regex'
        ? say((value) => `${value} does not match ${pythonRepr((issue.pattern ?? '').replace(/^\/(.*)\/[a-z]*$/s, '$1'))}`)
        : say((value) => `${value} is not a '${issue.format}'`)
    case 'not_multiple_of':
      return say((value) => `${value} is not a multiple of ${issue.divisor}`)
    case 'unrecognized_keys': {
      const names = issue.keys.map((key) => pythonRepr(key)).join(', ')
      return say(() => `Additional properties are not allowed (${names} ${issue.keys.length === 1 ? 'was' : 'were'} unexpected)`)
    }
    case 'invalid_value':
      return say((value) => `${value} is not one of ${pythonRepr(issue.values)}`)
    case 'invalid_union': {
      const branch = issue.errors.length > 0 ? nearestBranch(issue.errors) : undefined
      if (branch && branch.path.length > 0) return describe(error, branch, path)
      return say((value) => `${value} is not valid under any of the given schemas`)
    }
    case 'invalid_key':
      return complaint(error, path.slice(0, -1), () => `${pythonRepr(String(path.at(-1)))} does not match any of the regexes`)
    case 'invalid_element':
      return say((value) => `${value} is not valid under any of the given schemas`)
    case 'custom':
      return say(() => issue.message)
  }
}

/**
 * The first issue as Nova words it (`nova/api/validation/validators.py`): "Invalid input for field/attribute name.
 * Value: ... is too long"; with no path, the bare reason. Queries: "Invalid input for query parameters ...".
 */
export function novaInputMessage(error: InputError): string {
  const { path, value, reason } = describe(error, error.issues[0]!)
  if (path.length === 0) return reason
  if (error.place === 'body')
    return `Invalid input for field/attribute ${String(path.at(-1))}. Value: ${pythonStr(value, lastName(path))}. ${reason}`
  return `Invalid input for query parameters ${String(path[0])}. Value: ${pythonStr(value, lastName(path))}. ${reason}`
}

/** The first issue as Keystone words it (`keystone/common/validation/validators.py`). */
export function keystoneInputMessage(error: InputError): string {
  const { path, reason } = describe(error, error.issues[0]!)
  if (path.length === 0) return reason
  return `Invalid input for field '${path.map(String).join('/')}': ${reason}`
}

/** The first issue in jsonschema's words alone, with the path in front: for services whose own wording varies (Glance). */
export function plainInputMessage(error: InputError): string {
  const { path, reason } = describe(error, error.issues[0]!)
  return path.length === 0 ? reason : `${path.map(String).join('.')}: ${reason}`
}

/**
 * The first issue as Neutron words it (`neutron_lib/api/attributes.py`, convert_values): "Invalid input for name. Reason: ...",
 * by the attribute's name. What a schema says in words of its own is told as it stands, and so is an unknown attribute first.
 */
export function neutronInputMessage(error: InputError): string {
  const unknown = error.issues.find(({ code }) => code === 'unrecognized_keys')
  if (unknown) return unknown.message
  const issue = error.issues[0]!
  if (issue.path.length === 0) return issue.message
  const attribute = issue.path.slice(1).find((key) => typeof key === 'string') ?? issue.path[0]
  const reason = issue.code === 'custom' ? issue.message : describe(error, issue).reason
  return `Invalid input for ${String(attribute)}. Reason: ${reason}.`
}
