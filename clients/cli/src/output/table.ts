import type { Style } from './style.js'
import { cut, displayWidth, padEnd, padStart, printable } from './text.js'
import { toText, type Column, type View } from './view.js'

const gap = '  '
const narrowestColumn = 6

/**
 * Rows under headings, columns two spaces apart. On a terminal the widest columns that may be cut give way until a row
 * fits; elsewhere (`width` undefined) nothing is ever cut.
 */
export function listTable<Row>(view: View<Row>, rows: readonly Row[], style: Style, width: number | undefined): string {
  const titles = view.map((column) => column.title.toUpperCase())
  const cells = rows.map((row) => view.map((column) => printable(toText(column, row))))
  const natural = view.map((_, index) => Math.max(...[titles, ...cells].map((line) => displayWidth(line[index]!))))
  const widths = width === undefined ? natural : fit(view, natural, width)
  const line = (texts: string[], paint: (text: string, index: number) => string) =>
    texts.map((text, index) => paint(align(view, texts, index, cut(text, widths[index]!), widths[index]!), index)).join(gap)
  const head = style.bold(line(titles, (text) => text))
  const body = rows.map((row, number) => line(cells[number]!, (text, index) => style.coloured(text, view[index]!.colour?.(row))))
  return [head, ...body].map((text) => `${text}\n`).join('')
}

function align<Row>(view: View<Row>, texts: string[], index: number, text: string, width: number): string {
  if (view[index]!.right) return padStart(text, width)
  return index === texts.length - 1 ? text : padEnd(text, width)
}

/** Takes cells from the widest column that may be cut until the row fits, or until cutting more would help nobody. */
function fit<Row>(view: View<Row>, natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, cells) => sum + cells, 0) + gap.length * (widths.length - 1)
  while (total() > width) {
    const candidates = widths.map((cells, index) => (view[index]!.whole || view[index]!.right ? 0 : cells))
    const widest = candidates.indexOf(Math.max(...candidates))
    if (widest < 0 || candidates[widest]! <= narrowestColumn) break
    widths[widest]! -= 1
  }
  return widths
}

/** One resource, a line a property: its title, then its value, long values wrapped under themselves on a terminal. */
export function detailTable<Row>(view: View<Row>, row: Row, style: Style, width: number | undefined): string {
  const known = view.filter((column) => column.value(row) !== undefined)
  const titleWidth = Math.max(0, ...known.map((column) => displayWidth(column.title)))
  return known.map((column) => detailLine(column, row, style, titleWidth, width)).join('')
}

function detailLine<Row>(column: Column<Row>, row: Row, style: Style, titleWidth: number, width: number | undefined): string {
  const room = width === undefined ? Infinity : Math.max(20, width - titleWidth - gap.length)
  const lines = wrap(printable(toText(column, row)), room).map((text) => style.coloured(text, column.colour?.(row)))
  const indent = `\n${' '.repeat(titleWidth)}${gap}`
  return `${style.bold(padEnd(column.title, titleWidth))}${gap}${lines.join(indent)}\n`
}

/** Breaks at spaces; a word wider than the room keeps its own line, so that it can still be copied whole. */
export function wrap(text: string, width: number): string[] {
  if (displayWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(line)
  return lines
}
