/** The middle of `values`; of two middles, the mean. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function p99(values: readonly number[]): number {
  return quantile(values, 0.99)
}

/** Linear between the two nearest ranks. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
