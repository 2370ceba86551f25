import { expect, it } from '@jest/globals'
import { isIP } from 'node:net'
import { seededRandom } from '@nubo/kernel'
import fc from 'fast-check'
import {
  addressBits,
  canonicalAddress,
  canonicalMac,
  defaultPools,
  eui64Address,
  isInPools,
  isUsableIn,
  lastOfPrefix,
  newMac,
  parseAddress,
  parsePool,
  parsePrefix,
  poolSize,
  prefixAround,
  prefixContains,
  prefixesOverlap,
  printAddress,
  printPool,
  printPrefix,
  runsFrom,
  sameAddress,
  type Address,
  type Pool,
  type Prefix,
} from './index.js'

const anyAddress: fc.Arbitrary<Address> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) => fc.bigInt({ min: 0n, max: 2n ** BigInt(addressBits[family]) - 1n }).map((value) => ({ family, value })))
const anyPrefix: fc.Arbitrary<Prefix> = anyAddress.chain((address) =>
  fc.integer({ min: 0, max: addressBits[address.family] }).map((length) => prefixAround(address, length)),
)
const smallPools: fc.Arbitrary<Pool[]> = fc
  .array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })), { minLength: 1, maxLength: 4 })
  .map((gaps) => {
    let next = 1_000n
    return gaps.map(([gap, length]) => {
      const first = next + BigInt(gap)
      next = first + BigInt(length) + 1n
      return { family: 4, first, last: next - 1n }
    })
  })

it('prints an address so that it is read again as the same', () => {
  fc.assert(fc.property(anyAddress, (address) => sameAddress(parseAddress(printAddress(address))!, address)))
})

it('gives every way of writing an address one text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = canonicalAddress(text)!
      expect(isIP(canonical)).toBe(isIP(text))
      expect(canonicalAddress(canonical)).toBe(canonical)
      expect(canonicalAddress(text.toUpperCase())).toBe(canonical)
    }),
  )
  expect(canonicalAddress('2001:0DB8:0:0:0:0:0:1')).toBe('2001:db8::1')
})

it.each(['', '10.1', '10.0.0.256', '010.0.0.1', '0x0a000001', '167772161', 'fe80::1%eth0', '::g', '10.0.0.1/8', ' 10.0.0.1'])(
  'takes %p for no address',
  (text) => {
    expect(parseAddress(text)).toBeUndefined()
  },
)

it('takes anything whatever for an address or for none, and never fails', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'))
      parsePrefix(text)
      canonicalMac(text)
    }),
  )
})

it('reads a prefix as it prints it, and puts what is right of it to zero', () => {
  fc.assert(fc.property(anyPrefix, (prefix) => expect(parsePrefix(printPrefix(prefix))).toEqual(prefix)))
  expect(printPrefix(parsePrefix('10.1.2.3/16')!)).toBe('10.1.0.0/16')
  expect(printPrefix(parsePrefix('2001:db8::1')!)).toBe('2001:db8::1/128')
})

it.each([
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '/8',
  '10.0.0.0/0x8',
  '10.0.0.0/255.0.0.0',
  '10.0.0.0/08',
  '::/00',
])('takes %p for no prefix', (text) => {
  expect(parsePrefix(text)).toBeUndefined()
})

it('has in a prefix what begins with its bits, and no other', () => {
  fc.assert(
    fc.property(anyPrefix, anyAddress, (prefix, address) => {
      const same = address.family === prefix.family && prefixAround(address, prefix.length).first === prefix.first
      expect(prefixContains(prefix, address)).toBe(same)
    }),
  )
})

it('has two prefixes overlap where one holds the other', () => {
  const begin = (prefix: Prefix) => ({ family: prefix.family, value: prefix.first })
  fc.assert(
    fc.property(anyPrefix, anyPrefix, (left, right) => {
      const nested = prefixContains(left, begin(right)) || prefixContains(right, begin(left))
      expect(prefixesOverlap(left, right)).toBe(nested)
    }),
  )
})

it('gives out by default all but the ends and the gateway', () => {
  fc.assert(
    fc.property(anyPrefix, anyAddress, fc.boolean(), (prefix, other, isInside) => {
      const gateway = isInside ? { family: prefix.family, value: prefix.first + (other.value % 5n) } : other
      const pools = defaultPools(prefix, gateway)
      if (prefix.length < addressBits[prefix.family]) expect(isInPools(pools, gateway)).toBe(false)
      for (const { first, last } of pools) {
        expect(prefixContains(prefix, { family: prefix.family, value: first })).toBe(true)
        expect(prefixContains(prefix, { family: prefix.family, value: last })).toBe(true)
      }
      const hasEnds = prefix.family === 4 && prefix.length <= 30
      if (hasEnds) expect(isInPools(pools, { family: 4, value: lastOfPrefix(prefix) })).toBe(false)
    }),
  )
})

it.each([
  ['10.0.0.0/24', '10.0.0.1', [['10.0.0.2', '10.0.0.254']]],
  [
    '10.0.0.0/24',
    '10.0.0.10',
    [
      ['10.0.0.1', '10.0.0.9'],
      ['10.0.0.11', '10.0.0.254'],
    ],
  ],
  ['10.0.0.0/31', undefined, [['10.0.0.0', '10.0.0.1']]],
  ['10.0.0.7/32', undefined, [['10.0.0.7', '10.0.0.7']]],
  ['2001:db8::/64', '2001:db8::1', [['2001:db8::2', '2001:db8::ffff:ffff:ffff:ffff']]],
])('makes the pools of %s with the gateway %p as Neutron does', (cidr, gateway, expected) => {
  const pools = defaultPools(parsePrefix(cidr)!, gateway === undefined ? undefined : parseAddress(gateway))
  expect(pools.map(printPool)).toEqual(expected.map(([start, end]) => ({ start, end })))
  expect(pools.map(printPool).map(parsePool)).toEqual(pools)
})

it('takes no pool whose ends are no addresses, of two families or the wrong way round', () => {
  expect(parsePool({ start: 'x', end: '10.0.0.1' })).toBeUndefined()
  expect(parsePool({ start: '10.0.0.1', end: '::1' })).toBeUndefined()
  expect(parsePool({ start: '10.0.0.2', end: '10.0.0.1' })).toBeUndefined()
})

it('walks pools from anywhere, over the end to the begin, and through each address once', () => {
  fc.assert(
    fc.property(smallPools, fc.nat(), fc.integer({ min: 1, max: 200 }), (pools, from, count) => {
      const all = pools.flatMap(({ first, last }) =>
        Array.from({ length: Number(last - first) + 1 }, (_, n) => first + BigInt(n)),
      )
      expect(poolSize(pools)).toBe(BigInt(all.length))
      const start = from % all.length
      const walked = runsFrom(pools, BigInt(start), count).flatMap(({ first, count }) =>
        Array.from({ length: count }, (_, n) => parseAddress(first)!.value + BigInt(n)),
      )
      expect(walked).toEqual([...all.slice(start), ...all.slice(0, start)].slice(0, count))
    }),
  )
})

it('knows which addresses of a subnet a port may have', () => {
  const subnet = parsePrefix('10.0.0.0/24')!
  const usable = (text: string, forRouter = false) => isUsableIn(subnet, parseAddress(text)!, forRouter)
  expect([usable('10.0.0.0'), usable('10.0.0.1'), usable('10.0.0.255'), usable('10.0.1.1'), usable('::1')]).toEqual([
    false,
    true,
    false,
    false,
    false,
  ])
  const anycast = parseAddress('2001:db8::')!
  expect(isUsableIn(parsePrefix('2001:db8::/64')!, anycast, false)).toBe(false)
  expect(isUsableIn(parsePrefix('2001:db8::/64')!, anycast, true)).toBe(true)
})

it('makes MACs of Neutron’s vendor prefix', () => {
  const random = seededRandom(7)
  const macs = Array.from({ length: 100 }, () => newMac(random))
  expect(macs.every((mac) => /^fa:16:3e(:[0-9a-f]{2}){3}$/.test(mac))).toBe(true)
  expect(new Set(macs).size).toBe(100)
})

it.each([
  ['FA:16:3E:00:00:01', 'fa:16:3e:00:00:01'],
  ['fa-16-3e-0-0-1', 'fa:16:3e:00:00:01'],
  ['fa16.3e00.0001', 'fa:16:3e:00:00:01'],
  ['fa163e000001', 'fa:16:3e:00:00:01'],
  ['fa:16:3e:00:00', undefined],
  ['fa:16:3e:00:00:0g', undefined],
])('reads the MAC %s as %s', (text, expected) => {
  expect(canonicalMac(text)).toBe(expected)
})

it('gives a MAC the address of RFC 4291', () => {
  const address = (mac: string) => printAddress(eui64Address(parsePrefix('2001:db8:0:1::/64')!, mac))
  expect(address('fa:16:3e:12:34:56')).toBe('2001:db8:0:1:f816:3eff:fe12:3456')
  expect(address('00:00:5e:00:53:01')).toBe('2001:db8:0:1:200:5eff:fe00:5301')
})
