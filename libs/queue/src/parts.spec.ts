import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { inParts, longestValueBytes, PartsTogether } from './parts.js'

let number = 0
const id = () => `id-${++number}`
const together = (texts: readonly string[]) => {
  const parts = new PartsTogether()
  return texts.map((text) => parts.take(text)).filter((text) => text !== undefined)
}

describe('a text that Redis would not take', () => {
  it.each(['x', 'ü', '∂', '😀', 'x😀'])('of %s goes in parts that it takes, and is the same again', (of) => {
    const text = of.repeat(1_300_000)
    const parts = inParts(text, id)
    expect(parts.length).toBeGreaterThan(1)
    for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(longestValueBytes)
    expect(together(parts.map((part) => Buffer.from(part).toString()))).toEqual([text])
  })

  it('that lost a part, or came twice or mixed, is dropped, and nothing else', () => {
    const [one, two] = [inParts('1'.repeat(2_000_000), id), inParts('2'.repeat(2_000_000), id)]
    const whole = (texts: readonly string[]) => together(texts).map((text) => `${text[0]}${text.length}`)
    for (let lost = 0; lost < one.length; lost++)
      expect(whole([...one.toSpliced(lost, 1), ...two, 'plain'])).toEqual(['22000000', 'p5'])
    expect(whole([one[0]!, ...one, ...one.slice(1), ...two])).toEqual(['12000000', '22000000'])
    expect(whole(one.flatMap((part, index) => [part, two[index]!]))).toEqual([])
  })
})

it('a short text is as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(together(inParts(text, id))).toEqual([text])
    }),
  )
})
