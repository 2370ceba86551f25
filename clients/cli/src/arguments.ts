import { InvalidArgumentError } from 'commander'

/** Parsers for the words of the command line, in the form that commander calls. */

export function wholeNumber(word: string): number {
  if (!/^\d+$/.test(word) || !Number.isSafeInteger(Number(word))) throw new InvalidArgumentError('It must be a whole number.')
  return Number(word)
}

export function positiveNumber(word: string): number {
  const value = wholeNumber(word)
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

/** Collects `--property a=b --property c=d`. */
export function keyValue(word: string, before: Record<string, string> = {}): Record<string, string> {
  const split = word.indexOf('=')
  if (split < 1) throw new InvalidArgumentError('It must have the form KEY=VALUE.')
  return { ...before, [word.slice(0, split)]: word.slice(split + 1) }
}

/** What Nubo takes as an Idempotency-Key. */
export function requestKey(word: string): string {
  if (!/^[\x21-\x7e]{1,255}$/.test(word)) throw new InvalidArgumentError('It must be 1 to 255 ASCII characters without spaces.')
  return word
}

/** Collects a repeated option. */
export function repeated(word: string, before: string[] = []): string[] {
  return [...before, word]
}

/** `--columns id,name`. */
export function commaSeparated(word: string): string[] {
  const words = word.split(',').map((part) => part.trim())
  if (words.includes('')) throw new InvalidArgumentError('It must be names with commas between them.')
  return words
}
