import type { Output, World } from '../world.js'

const colours = { red: 31, green: 32, yellow: 33, blue: 34 } as const
export type Colour = keyof typeof colours

export interface Style {
  bold(text: string): string
  faint(text: string): string
  coloured(text: string, colour: Colour | undefined): string
}

const plain: Style = { bold: (text) => text, faint: (text) => text, coloured: (text) => text }

const ansi: Style = {
  bold: (text) => `\u001b[1m${text}\u001b[22m`,
  faint: (text) => `\u001b[2m${text}\u001b[22m`,
  coloured: (text, colour) => (colour === undefined ? text : `\u001b[${colours[colour]}m${text}\u001b[39m`),
}

/** Colours on a terminal that takes them, unless NO_COLOR says otherwise (https://no-color.org). */
export function styleFor(output: Output, environment: World['environment']): Style {
  const unwanted = Boolean(environment.NO_COLOR) || environment.TERM === 'dumb'
  return output.isTerminal && !unwanted ? ansi : plain
}
