import { z } from 'zod'

// What a host says of itself is written to the same tables as what others say: here is what fits there, so that none can put
// a value in them at which a statement about all hosts fails.

/** Half of what PostgreSQL's `int` holds: two of them can be added up, and counted on from. */
export const amount = z
  .int()
  .nonnegative()
  .max(2 ** 30)

/** NUL, which PostgreSQL's texts cannot hold. */
const nul = /\0/g

/** A text for people, of so many characters at the most: the rest is left out, and what cannot be stored. */
export const words = (atMost: number) => z.string().transform((text) => text.slice(0, atMost).replaceAll(nul, '').toWellFormed())

/** What is longer than this is no description of a processor. */
const longestDescription = 65_536
/** As JSON.stringify writes NUL and halves of characters, neither of which PostgreSQL's `jsonb` takes. */
const unstorable = /\\u(0000|d[89a-f])/

/** Facts about hardware, as whoever knows them has them. */
export const description = z.record(z.string(), z.unknown()).refine(isStorable, 'too long, too deep, or no text')

function isStorable(facts: unknown): boolean {
  try {
    const text = JSON.stringify(facts)
    return text.length <= longestDescription && !unstorable.test(text)
  } catch {
    // Nested so deep that whoever walks it comes to the end of the stack.
    return false
  }
}
