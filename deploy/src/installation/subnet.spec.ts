import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { chooseSubnet, isSubnetFree } from './subnet.js'

const id = fc.integer({ min: 0, max: 0xffffffff }).map((number) => number.toString(16).padStart(8, '0'))

describe('chooseSubnet', () => {
  it('takes the same for the same installation, and mostly another for another', () => {
    expect(chooseSubnet('1a2b3c4d', [])).toBe(chooseSubnet('1a2b3c4d', []))
    const chosen = new Set(Array.from({ length: 100 }, (_, i) => chooseSubnet((i * 0x1234567).toString(16).padStart(8, '0'), [])))
    expect(chosen.size).toBeGreaterThan(95)
  })

  it('stays within the private ranges, whatever the id', () => {
    fc.assert(
      fc.property(id, (text) => expect(chooseSubnet(text, [])).toMatch(/^(100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|10\.\d+)\.\d+$/)),
    )
  })

  it('never takes what a route touches, and ignores the default route', () => {
    const routes = [{ dst: 'default' }, { dst: '10.0.0.0/8' }, { dst: '100.64.0.0/11' }, { dst: '100.96.7.9' }]
    fc.assert(
      fc.property(id, (text) => {
        const prefix = chooseSubnet(text, routes)!
        expect(prefix).toMatch(/^100\.(9[6-9]|1[01]\d|12[0-7])\./)
        expect(prefix).not.toBe('100.96.7')
      }),
    )
  })

  it('says when everything is taken', () => {
    expect(chooseSubnet('00000000', [{ dst: '10.0.0.0/8' }, { dst: '100.64.0.0/10' }])).toBeUndefined()
  })
})

describe('isSubnetFree', () => {
  it('does not mind the route through our own bridge', () => {
    const routes = [{ dst: '10.1.2.0/24', dev: 'nb-1' }]
    expect(isSubnetFree('10.1.2', routes, 'nb-1')).toBe(true)
    expect(isSubnetFree('10.1.2', routes, 'nb-2')).toBe(false)
  })
})
