import { timesAsGood } from './comparison.js'
import { isMet, timesBetter, type Aim, type Figure } from './figures.js'

type Row = readonly string[]

const header: Row = ['', 'here', 'p99', 'aim', '', 'OpenStack', 'times better', 'before', 'times as good']

/** Figures for people: one line each, columns aligned; beside what an earlier run measured, if there is one. */
export function table(figures: readonly Figure[], before: readonly (number | undefined)[]): string {
  const rows = [header, ...figures.map((figure, index) => rowOf(figure, before[index]))]
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const used = widths.map((_, column) => rows.slice(1).some((row) => row[column] !== ''))
  return rows.map((row) => lineOf(row, widths, used)).join('\n')
}

function rowOf(figure: Figure, before: number | undefined): Row {
  const { name, value, unit, p99, aim, openStack } = figure
  const met = isMet(figure)
  const better = timesBetter(figure)
  const asGood = before === undefined ? undefined : timesAsGood(figure, before)
  return [
    name,
    `${shown(value)} ${unit}`,
    p99 === undefined ? '' : shown(p99),
    aim ? aimOf(aim) : '',
    met === undefined ? '' : met ? 'met' : 'MISSED',
    openStack === undefined ? '' : shown(openStack),
    better === undefined ? '' : shown(better),
    before === undefined ? '' : shown(before),
    asGood === undefined ? '' : shown(asGood),
  ]
}

function lineOf(row: Row, widths: readonly number[], used: readonly boolean[]): string {
  const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
  return `  ${cells.filter((_, column) => used[column]).join('   ')}`.trimEnd()
}

function aimOf(aim: Aim): string {
  return 'atMost' in aim ? `<= ${shown(aim.atMost)}` : `>= ${shown(aim.atLeast)}`
}

/** Three digits that count, and thousands set apart. */
function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}
