import { describe, expect, it } from '@jest/globals'
import type { CloudError } from '@nubo/kernel'
import fc from 'fast-check'
import { readAddressPairs } from './address-pairs.js'
import { changeDhcpOptions, readDhcpOptions } from './dhcp-options.js'

const refusalOf = (read: () => unknown): unknown => {
  try {
    read()
    return undefined
  } catch (error) {
    return (error as CloudError).details['type']
  }
}

describe('allowed address pairs', () => {
  it('are addresses or prefixes, each with a MAC or without', () => {
    expect(readAddressPairs(null)).toEqual([])
    expect(
      readAddressPairs([{ ip_address: '10.0.0.0/24' }, { ip_address: '2001:DB8::1', mac_address: 'FA-16-3E-00-00-01' }]),
    ).toEqual([{ ip_address: '10.0.0.0/24' }, { ip_address: '2001:db8::1', mac_address: 'fa:16:3e:00:00:01' }])
  })

  it.each([
    ['x', 'HTTPBadRequest'],
    [[5], 'HTTPBadRequest'],
    [[{}], 'AllowedAddressPairsMissingIP'],
    [[{ ip_address: '10.0.0.300' }], 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.0/33' }], 'HTTPBadRequest'],
    [[{ ip_address: '224.0.0.1' }], 'HTTPBadRequest'],
    [[{ ip_address: 'ff02::1' }], 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1', mac_address: '01:00:5e:00:00:01' }], 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1', mac_address: 'mac' }], 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1', colour: 'red' }], 'HTTPBadRequest'],
    [[{ ip_address: '10.0.0.1' }, { ip_address: '10.0.0.1' }], 'DuplicateAddressPairInRequest'],
    [Array.from({ length: 11 }, (_, n) => ({ ip_address: `10.0.0.${n}` })), 'AllowedAddressPairExhausted'],
  ])('are refused: %j', (value, type) => {
    expect(refusalOf(() => readAddressPairs(value))).toBe(type)
  })

  it('are read or refused by a name, whatever is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => ['string', 'undefined'].includes(typeof refusalOf(() => readAddressPairs(value)))),
    )
  })
})

describe('extra DHCP options', () => {
  it('are of IPv4 where nothing is said', () => {
    expect(
      readDhcpOptions([
        { opt_name: 'mtu', opt_value: '1400' },
        { opt_name: 'router', opt_value: '', ip_version: '6' },
      ]),
    ).toEqual([
      { opt_name: 'mtu', opt_value: '1400', ip_version: 4 },
      { opt_name: 'router', opt_value: '', ip_version: 6 },
    ])
  })

  it.each([
    ['x'],
    [[null]],
    [[{ opt_name: 'a\nb', opt_value: 'c' }]],
    [[{ opt_name: 'a', opt_value: 'b\nport=1' }]],
    [[{ opt_name: 'a', opt_value: '' }]],
    [[{ opt_name: '', opt_value: 'b' }]],
    [[{ opt_name: 'a', opt_value: 'b', ip_version: 5 }]],
    [[{ opt_name: 'a', opt_value: 'b', more: 1 }]],
    [[{ opt_name: 'a'.repeat(65), opt_value: 'b' }]],
  ])('are refused: %j', (value) => {
    expect(refusalOf(() => readDhcpOptions(value))).toBe('InvalidInput')
  })

  it('change by name and version, and go where the value is null', () => {
    const option = (name: string, value: string | null, version: 4 | 6 = 4) => ({
      opt_name: name,
      opt_value: value,
      ip_version: version,
    })
    expect(
      changeDhcpOptions(
        [option('a', '1'), option('b', '2'), option('a', '3', 6)],
        [option('a', '4'), option('b', null), option('c', '5')],
      ),
    ).toEqual([option('a', '4'), option('a', '3', 6), option('c', '5')])
  })
})
