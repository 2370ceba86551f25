import { InputError } from '../input-error.js'
import type { UpgradingRequest } from './change.js'

/** The object at `path` in `value`; undefined where there is none: validation will say so. */
export function objectAt(value: unknown, ...path: string[]): Record<string, unknown> | undefined {
  let current = value
  for (const key of path) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string, unknown>)[key]
  }
  return current !== null && typeof current === 'object' && !Array.isArray(current)
    ? (current as Record<string, unknown>)
    : undefined
}

/** For an upgrade: the keys under `path` that came with this version were unknown before it, and so a 400. */
export function refuseKeys(path: readonly string[], keys: readonly string[]): (request: UpgradingRequest) => void {
  return (request) => {
    const target = objectAt(request.body, ...path)
    const found = target ? keys.filter((key) => Object.hasOwn(target, key)) : []
    if (found.length > 0)
      throw new InputError('body', request.body, [
        { code: 'unrecognized_keys', keys: found, path: [...path], message: '', input: target },
      ])
  }
}

/** For an upgrade: query parameters that came with this version were unknown before it, and so a 400. */
export function refuseQuery(names: readonly string[]): (request: UpgradingRequest) => void {
  return ({ query }) => {
    const keys = names.filter((name) => Object.hasOwn(query, name))
    if (keys.length > 0)
      throw new InputError('query', query, [{ code: 'unrecognized_keys', keys, path: [], message: '', input: query }])
  }
}

/** For an upgrade: query parameters that came with this version were ignored before it. */
export function ignoreQuery(names: readonly string[]): (request: UpgradingRequest) => void {
  return (request) => {
    for (const name of names) delete request.query[name]
  }
}

/** For an upgrade: unknown query parameters were ignored before this version, and are a 400 since. */
export function ignoreQueryExcept(names: readonly string[]): (request: UpgradingRequest) => void {
  const known = new Set(names)
  return (request) => {
    for (const name of Object.keys(request.query)) if (!known.has(name)) delete request.query[name]
  }
}
