/** Redis takes no value of more than 1 MiB from anybody (deploy's configuration). */
export const longestValueBytes = 1_000_000
/** Each is three bytes of UTF-8 at the most. */
const charactersOfPart = 300_000
/** `part <whole> <number> <of> `: nothing else that is cast begins so. */
const headOfPart = /^part (\S{1,64}) (\d{1,6}) (\d{1,6}) /

/** A text as what Redis takes: as it is, or in parts that follow each other. `id` tells them from those of another one. */
export function inParts(text: string, id: () => string): string[] {
  if (text.length * 3 <= longestValueBytes || Buffer.byteLength(text) <= longestValueBytes) return [text]
  const parts: string[] = []
  for (let from = 0; from < text.length;) {
    const part = beginningOf(text, from)
    parts.push(part)
    from += part.length
  }
  const whole = id()
  return parts.map((part, index) => `part ${whole} ${index} ${parts.length} ${part}`)
}

/** No half of a character is at its end: it would not come through as UTF-8. */
function beginningOf(text: string, from: number): string {
  const part = text.slice(from, from + charactersOfPart)
  return part.isWellFormed() || from + part.length === text.length ? part : part.slice(0, -1)
}

/** Puts together what came in parts. One of which a part was lost is dropped, as any message may be. */
export class PartsTogether {
  private begun: { id: string; of: number; parts: string[] } | undefined

  /** The whole text, once its last part is there. */
  take(text: string): string | undefined {
    const [head, id, number, of] = headOfPart.exec(text) ?? []
    if (head === undefined) return text
    if (number === '0') this.begun = { id: id!, of: Number(of), parts: [] }
    const { begun } = this
    if (begun?.id !== id || begun?.parts.length !== Number(number)) {
      this.begun = undefined
      return undefined
    }
    begun.parts.push(text.slice(head.length))
    if (begun.parts.length < begun.of) return undefined
    this.begun = undefined
    return begun.parts.join('')
  }
}
