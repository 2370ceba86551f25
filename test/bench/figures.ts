export type Unit = 'ms' | 's' | '/s' | 'MiB' | 'MiB/s' | '% of a core' | 'x' | 'commands'

/** The aim: a bound that the value is held against. */
export type Aim = { atMost: number } | { atLeast: number }

export interface Figure {
  name: string
  value: number
  unit: Unit
  /** Beside a median, in the same unit. */
  p99?: number
  aim?: Aim
  /** What a real OpenStack (Zed) did on a like machine of two cores, to within 30%, in the same unit. */
  openStack?: number
}

export function isMet({ value, aim }: Figure): boolean | undefined {
  if (!aim) return undefined
  return 'atMost' in aim ? value <= aim.atMost : value >= aim.atLeast
}

/** How many times better than OpenStack: faster, or smaller. */
export function timesBetter({ value, unit, openStack }: Figure): number | undefined {
  if (openStack === undefined) return undefined
  return unit === '/s' ? value / openStack : openStack / value
}
