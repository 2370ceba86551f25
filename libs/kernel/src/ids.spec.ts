import { describe, expect, it } from '@jest/globals'
import { isUuid, newId, type ServerId } from './ids.js'
import { seededRandom, systemRandom } from './random.js'

describe('newId', () => {
  it('makes canonical version 4 UUIDs', () => {
    for (let i = 0; i < 1000; i++) {
      const id = newId<ServerId>(systemRandom)
      expect(isUuid(id)).toBe(true)
      expect(id[14]).toBe('4')
      expect('89ab').toContain(id[19])
    }
  })

  it('repeats with its seed and differs with another', () => {
    expect(newId(seededRandom(7))).toBe(newId(seededRandom(7)))
    expect(newId(seededRandom(7))).not.toBe(newId(seededRandom(8)))
  })
})

describe('isUuid', () => {
  it.each(['', 'x', '6B29FC40-CA47-1067-B31D-00DD010662DA', '6b29fc40ca471067b31d00dd010662da'])('refuses %s', (text) => {
    expect(isUuid(text)).toBe(false)
  })
})
