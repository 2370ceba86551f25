/** A word as the shell reads it back unchanged. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
