/**
 * What is told now, made of what was told before wherever that says the same: parts of it that did not change are the very
 * same objects, so whoever made something of them need not make it again.
 */
export function sharedWith<T>(before: unknown, now: T): T {
  if (Object.is(before, now) || !isObject(before) || !isObject(now)) return now
  if (Array.isArray(before) !== Array.isArray(now)) return now
  if (Array.isArray(before) && Array.isArray(now)) return sharedList(before, now) as T
  return sharedRecord(before as Values, now as Values) as T
}

type Values = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function sharedRecord(before: Values, now: Values): Values {
  const keys = Object.keys(now)
  let isSame = keys.length === Object.keys(before).length
  const shared: Record<string, unknown> = {}
  for (const key of keys) {
    shared[key] = sharedWith(before[key], now[key])
    isSame &&= key in before && Object.is(shared[key], before[key])
  }
  return isSame ? before : shared
}

/** What has a name is looked for by it, as others may have come and gone before it in the list. */
function sharedList(before: readonly unknown[], now: readonly unknown[]): readonly unknown[] {
  const named = new Map(before.map((item, index) => [nameOf(item) ?? index, item]))
  const shared = now.map((item, index) => sharedWith(named.get(nameOf(item) ?? index), item))
  const isSame = shared.length === before.length && shared.every((item, index) => Object.is(item, before[index]))
  return isSame ? before : shared
}

/** What things of a plan are told apart by in their list. Where this should not tell them apart, they are only made anew. */
const names = ['portId', 'networkId', 'groupId', 'routerId', 'mac', 'name'] as const

function nameOf(item: unknown): unknown {
  if (!isObject(item)) return undefined
  const key = names.find((name) => name in item)
  return key && (item as Values)[key]
}
