import { CommandError, exitCode, usageError } from '../exit.js'

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** Whether a word on the command line looks like an id, and is worth asking for directly. */
export function looksLikeId(word: string): boolean {
  return uuid.test(word)
}

/**
 * Picks what `wanted` means among candidates: the one with that id, else the one with that name. Several of one name are
 * an error that lists them, never a guess.
 */
export function pick<Item extends { id: string }>(
  kind: string,
  wanted: string,
  candidates: readonly Item[],
  nameOf: (item: Item) => string | null | undefined,
): Item {
  const byId = candidates.find((candidate) => candidate.id === wanted)
  if (byId) return byId
  const named = candidates.filter((candidate) => nameOf(candidate) === wanted)
  if (named.length === 1) return named[0]!
  if (named.length === 0) throw new CommandError(exitCode.notFound, `There is no ${kind} '${wanted}'`)
  throw usageError(`${named.length} ${kind}s are named '${wanted}', use an id: ${named.map((item) => item.id).join(', ')}`)
}

/** Resolves with undefined where the cloud says 404, and passes every other error on. */
export async function orNothing<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof CommandError && error.status === 404) return undefined
    throw error
  }
}

/** For what only makes a result nicer: a refusal by the cloud yields `otherwise` instead. */
export async function orElse<Value>(promise: Promise<Value>, otherwise: Value): Promise<Value> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof CommandError) return otherwise
    throw error
  }
}
