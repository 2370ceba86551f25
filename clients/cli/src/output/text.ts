/** Control characters, C1 and the bidirectional overrides: what could move the cursor, recolour or reorder a terminal. */
// oxlint-disable-next-line no-control-regex
const unsafeCharacters = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Makes text from the cloud fit for one line of a terminal. Names, metadata and messages are other people's words
 * (a public image is named by another tenant), so escape sequences are shown, not obeyed.
 */
export function printable(text: string): string {
  return text.replace(unsafeCharacters, (character) =>
    character === '\n' || character === '\t' ? ' ' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** '1 guest', '2 guests': for nouns that take an s. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

// CSI with its parameters, OSC up to its terminator, other two-character escapes, then stray controls but tab, newline, return.
const terminalSequences =
  // oxlint-disable-next-line no-control-regex
  /\u001b\[([0-9;:<=>?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[P^_X][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g

/** Keeps a guest's console output readable on a terminal: colours stay, everything that moves the cursor or talks back goes. */
export function withoutTerminalCommands(text: string): string {
  return text.replace(terminalSequences, (sequence, parameters: string | undefined, final: string | undefined) =>
    final === 'm' && /^[0-9;:]*$/.test(parameters ?? '') ? sequence : '',
  )
}

const segmenter = new Intl.Segmenter()

/** Cells that `text` takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += clusterWidth(segment)
  return width
}

const zeroWidth = /^[\p{Mark}\p{Format}\p{Control}]+$/u
const wide =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u

function clusterWidth(cluster: string): number {
  if (zeroWidth.test(cluster)) return 0
  return wide.test(cluster) || cluster.includes('\ufe0f') ? 2 : 1
}

/** Cuts `text` to at most `width` cells, the last of them an ellipsis where something was cut. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    const next = clusterWidth(segment)
    if (used + next > width - 1) break
    kept += segment
    used += next
  }
  return `${kept}…`
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** 1536 -> '1.5 KiB'. */
export function humanBytes(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit += 1
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`
}

/** 4230 -> '4.2 s', 83000 -> '1 min 23 s'. */
export function humanDuration(durationMs: number): string {
  const seconds = durationMs / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
