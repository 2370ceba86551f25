import type { Colour } from './style.js'

/** What a program reads: plain JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/**
 * One thing to know about a resource, for people and for programs. `key` and `value` make the JSON and are promised to
 * stay as they are; `title` and `text` make the table and may be improved at any time.
 */
export interface Column<Row> {
  key: string
  title: string
  value(row: Row): Json | undefined
  /** Where the table says it otherwise than `value`. */
  text?(row: Row): string
  colour?(row: Row): Colour | undefined
  /** Shown in lists unless columns are asked for. */
  listed?: boolean
  /** Aligned to the right: numbers. */
  right?: boolean
  /** Never cut to fit the terminal: ids, which are of no use in part. */
  whole?: boolean
}

export type View<Row> = readonly Column<Row>[]

export function toJson<Row>(view: View<Row>, row: Row): { [key: string]: Json } {
  return Object.fromEntries(view.map((column) => [column.key, column.value(row) ?? null]))
}

/** A column's value as a person reads it: lists with commas, mappings as key=value, nothing as '-'. */
export function toText<Row>(column: Column<Row>, row: Row): string {
  if (column.text) return column.text(row)
  return plainText(column.value(row))
}

function plainText(value: Json | undefined): string {
  if (value === undefined || value === null || value === '') return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(plainText).join(', ')
  if (typeof value === 'object') {
    const pairs = Object.entries(value)
    return pairs.length === 0 ? '-' : pairs.map(([key, member]) => `${key}=${plainText(member)}`).join(', ')
  }
  return String(value)
}
