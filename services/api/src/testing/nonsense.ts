/** What clients should not send. */
export const nonsense: readonly unknown[] = [
  ...[null, true, -1, 1.5, 2_147_483_648, 2 ** 53, 1e308, [], [null], [[[]]], {}, { id: {} }],
  ...['', ' ', '2147483648', '9'.repeat(40), 'x'.repeat(70_000), '💥\u0001\ud800', "'; DROP TABLE users; --"],
]

/** `value` with each of its parts replaced by each piece of nonsense, left out, and joined by an unknown one. */
export function spoilt(value: unknown): unknown[] {
  if (value === null || typeof value !== 'object') return []
  const results: unknown[] = []
  for (const key of Object.keys(value)) {
    const put = (part: unknown) =>
      Array.isArray(value) ? value.map((item, index) => (String(index) === key ? part : item)) : { ...value, [key]: part }
    results.push(...nonsense.map(put), ...spoilt((value as Record<string, unknown>)[key]).map(put))
    if (!Array.isArray(value)) results.push(Object.fromEntries(Object.entries(value).filter(([name]) => name !== key)))
  }
  return [...results, Array.isArray(value) ? [...value, ...value] : { ...value, surprise: 1 }]
}
