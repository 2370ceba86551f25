import { describe, expect, it } from '@jest/globals'
import { guestPort, servedNetwork } from '../testing/served-networks.js'
import { identitiesOf } from './identities.js'

const network = servedNetwork(5)
const addresses = (count: number, third = 0) =>
  Array.from({ length: count }, (_, index) => `10.${third}.${(index >> 8) & 255}.${index & 255}`)

describe('identities of the metadata service', () => {
  it('are of an end, however many addresses the ports of a network have', () => {
    const ports = Array.from({ length: 600 }, (_, index) => guestPort(network, index, { addresses: addresses(20, index & 255) }))
    const identities = identitiesOf({ networks: [network], ports })
    const of4 = identities.filter(({ family }) => family === 4).map(({ identity }) => identity)
    expect(of4.length).toBeGreaterThan(3_000)
    expect(new Set(of4).size).toBe(of4.length)
    expect(identities.length).toBeLessThanOrEqual(4_095)
  })

  it('are not taken up by one port with many addresses', () => {
    const many = guestPort(network, 11, { addresses: addresses(1_000) })
    const identities = identitiesOf({ networks: [network], ports: [many, guestPort(network, 12)] })
    expect(identities.filter(({ port }) => port === many).map(({ address }) => address)).toEqual([
      ...many.addresses.slice(0, 8),
      expect.stringContaining('fe80::'),
    ])
    expect(identities).toHaveLength(11)
  })
})
