/**
 * Does `work` for one after another, and for the rest where it fails for one: what is broken is found again in every round, and
 * must not keep those behind it. Throws what went wrong when it is through.
 */
export async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const errors: unknown[] = []
  for (const item of items) await work(item).catch((error: unknown) => void errors.push(error))
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${items.length} failed: ${String(errors[0])}`)
}
