import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { LibvirtProtocolError } from '../errors.js'
import { encodePacket, maximumMessageBytes, PacketDecoder, type Packet } from './packets.js'

const aPacket = fc.record({
  program: fc.nat(0xffffffff),
  version: fc.nat(9),
  procedure: fc.integer(),
  type: fc.nat(5),
  serial: fc.nat(0xffffffff),
  status: fc.nat(2),
  payload: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
})

function read(decoder: PacketDecoder, bytes: Buffer): Packet[] {
  const packets: Packet[] = []
  decoder.push(bytes, (packet) => packets.push({ ...packet, payload: Buffer.from(packet.payload) }))
  return packets
}

describe('PacketDecoder', () => {
  it('gives the packets that were sent, however their bytes were split', () => {
    fc.assert(
      fc.property(
        fc.array(aPacket, { maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 40 }),
        (packets, cuts) => {
          const bytes = Buffer.concat(packets.map(({ payload, ...header }) => encodePacket(header, payload)))
          const decoder = new PacketDecoder()
          const received: Packet[] = []
          for (let start = 0, cut = 0; start < bytes.length; cut++) {
            const end = start + Math.max(cuts[cut % cuts.length]!, cut % cuts.length === 0 ? 1 : 0)
            received.push(...read(decoder, bytes.subarray(start, end)))
            start = end
          }
          expect(received).toEqual(packets)
        },
      ),
    )
  })

  it('reads hostile bytes as packets, waits for more, or refuses them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const decoder = new PacketDecoder()
        try {
          for (const chunk of chunks) read(decoder, Buffer.from(chunk))
        } catch (error) {
          expect(error).toBeInstanceOf(LibvirtProtocolError)
        }
      }),
    )
  })

  it.each([
    ['shorter than its header', 27],
    ['longer than any message', maximumMessageBytes + 5],
    ['absurd', 0xffffffff],
  ])('refuses a length that is %s, before the bytes are there', (_what, length) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(length)
    expect(() => read(new PacketDecoder(), bytes)).toThrow(LibvirtProtocolError)
  })

  it('takes the longest message there is', () => {
    const header = { program: 1, version: 1, procedure: 1, type: 1, serial: 1, status: 0 }
    const bytes = encodePacket(header, Buffer.alloc(maximumMessageBytes - 24, 7))
    const decoder = new PacketDecoder()
    const middle = 1_000_000
    expect(read(decoder, bytes.subarray(0, middle))).toEqual([])
    expect(read(decoder, bytes.subarray(middle))[0]?.payload.length).toBe(maximumMessageBytes - 24)
    expect(() => encodePacket(header, Buffer.alloc(maximumMessageBytes - 23))).toThrow(LibvirtProtocolError)
  })

  it.each([
    ['type', 16, 6],
    ['type', 16, 0xffffffff],
    ['status', 24, 3],
  ])('refuses an unknown %s', (_what, offset, value) => {
    const bytes = encodePacket({ program: 1, version: 1, procedure: 1, type: 1, serial: 1, status: 0 }, Buffer.alloc(0))
    bytes.writeUInt32BE(value, offset)
    expect(() => read(new PacketDecoder(), bytes)).toThrow(LibvirtProtocolError)
  })
})
