export interface Figure {
  labels: Record<string, string>
  value: number
}

const comment = /^# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+$/
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g

/** Prometheus' text format, by the name of the figure. Throws for a line that is none of it. */
export function parseFigures(text: string): Map<string, Figure[]> {
  const figures = new Map<string, Figure[]>()
  for (const line of text.split('\n')) {
    if (line === '' || comment.test(line)) continue
    const [, name, labels = '', written] = sample.exec(line) ?? []
    if (name === undefined) throw new Error(`not Prometheus' text format: ${line}`)
    const figure = {
      labels: Object.fromEntries([...labels.matchAll(label)].map(([, key, value]) => [key, value])),
      value: numberOf(written!),
    }
    figures.set(name, [...(figures.get(name) ?? []), figure])
  }
  return figures
}

function numberOf(written: string): number {
  if (/^[+-]?Inf$/.test(written)) return written.startsWith('-') ? -Infinity : Infinity
  const value = Number(written)
  if (!/^nan$/i.test(written) && Number.isNaN(value)) throw new Error(`not a number: ${written}`)
  return value
}
