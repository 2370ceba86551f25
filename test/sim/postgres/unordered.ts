const known = new Map<string, boolean>()

/** True where the statement itself says in which order its rows come: PostgreSQL gives all others as it likes. */
export function isOrdered(text: string): boolean {
  let ordered = known.get(text)
  if (ordered === undefined) known.set(text, (ordered = outermost(text).includes('ORDER BY')))
  return ordered
}

/** A statement without what stands in parentheses. */
function outermost(text: string): string {
  let depth = 0
  let kept = ''
  for (const letter of text) {
    if (letter === '(') depth++
    if (depth === 0) kept += letter
    if (letter === ')') depth--
  }
  return kept
}
