import type { Comparison } from '@nubo/database'
import { CloudError } from '@nubo/kernel'

const comparisons: Readonly<Record<string, Comparison>> = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

const unknownOperator = (operator: string) => new CloudError('Invalid', `Unable to filter by unknown operator '${operator}'.`)

/** `in:a,b` or `eq:a` or `a`: the values that an attribute may have (`glance/common/utils.py`, `split_filter_op`). */
export function valuesOf(expression: string): string[] {
  const at = expression.indexOf(':')
  if (at < 0) return [expression]
  const operator = expression.slice(0, at)
  const operand = expression.slice(at + 1)
  if (operator === 'in') return splitQuoted(operand)
  if (operator === 'eq') return [operand]
  throw unknownOperator(operator)
}

/** `gte:2026-11-23T08:00:00Z`, or the time alone. */
export function timeComparisonOf(name: string, expression: string): { comparison: Comparison; value: Date } {
  const plain = isoTime(expression)
  if (plain) return { comparison: '=', value: plain }
  const at = expression.indexOf(':')
  const comparison = comparisons[expression.slice(0, Math.max(at, 0))]
  const value = isoTime(expression.slice(at + 1))
  if (!value) throw new CloudError('Invalid', `Bad "${name}" query filter format. Use ISO 8601 DateTime notation.`)
  if (!comparison) throw new CloudError('Invalid', 'Unable to filter on a unknown operator.')
  return { comparison, value }
}

const isoPattern = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** A time in ISO 8601, of UTC where it does not say otherwise; to the second. */
function isoTime(text: string): Date | undefined {
  // A '+' in a query that was not percent-encoded has become a space.
  const written = text
    .trim()
    .replace(/ (\d{2}(?::?\d{2})?)$/, (match, zone: string) => (/[T ]\d{2}.*[T ]/.test(text) ? `+${zone}` : match))
  if (!isoPattern.test(written)) return undefined
  const hasZone = /(?:Z|[T ].*[+-]\d{2}(?::?\d{2})?)$/i.test(written)
  const milliseconds = Date.parse(hasZone || !/[T ]/.test(written) ? written : `${written}Z`)
  if (Number.isNaN(milliseconds)) return undefined
  return new Date(Math.floor(milliseconds / 1000) * 1000)
}

/** `a,"b,c",d`: quotes keep commas, a backslash keeps a quote. */
function splitQuoted(text: string): string[] {
  checkQuotes(text)
  const values: string[] = []
  for (const [, quoted, plain] of text.matchAll(/"([^"\\]*(?:\\.[^"\\]*)*)",?|([^,]+),?|,/g)) values.push(quoted ?? plain ?? '')
  return values
}

function checkQuotes(text: string): void {
  const wrong = (why: string) => new CloudError('Invalid', `Invalid filter value ${text}. ${why}`)
  let open = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '"' || (at > 0 && text[at - 1] === '\\')) continue
    if (!open && at > 0 && text[at - 1] !== ',') throw wrong('There is no comma before opening quotation mark.')
    if (open && at + 1 < text.length && text[at + 1] !== ',') throw wrong('There is no comma after closing quotation mark.')
    open = !open
  }
  if (open) throw wrong('The quote is not closed.')
}
