import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ImageRefused, type RefusalCode } from './image-refused.js'
import { inspectorOf } from './inspect.js'
import { readQcow2Header } from './qcow2-header.js'
import { qcow2File, validSample, type Qcow2Sample } from '../test/qcow2-sample.js'

const limits = { virtualBytes: 16 * 2 ** 40 }

function inspect(file: Buffer, chunkBytes = 65_536) {
  const inspector = inspectorOf('qcow2', limits)
  for (let at = 0; at < file.length; at += chunkBytes) inspector.take(file.subarray(at, at + chunkBytes))
  return inspector.finish()
}

function verdict(file: Buffer, chunkBytes?: number): RefusalCode | number {
  try {
    return inspect(file, chunkBytes).virtualBytes
  } catch (error) {
    if (error instanceof ImageRefused) return error.code
    throw error
  }
}

it('takes a sound image and tells the size of its disk', () => {
  expect(verdict(qcow2File())).toBe(2 ** 30)
})

const bitmaps = (bytes: bigint, offset: bigint, count = 1) => {
  const content = Buffer.alloc(24)
  content.writeUInt32BE(count, 0)
  content.writeBigUInt64BE(bytes, 8)
  content.writeBigUInt64BE(offset, 16)
  return { type: 0x23852875, content }
}

const refused: [string, Partial<Qcow2Sample>, RefusalCode][] = [
  ['a backing file (CVE-2022-47951)', { backingFileOffset: 512n }, 'backing-file'],
  ['the format of a backing file', { extensions: [{ type: 0xe2792aca, content: Buffer.from('raw') }] }, 'backing-file'],
  ['an external data file (CVE-2024-32498)', { incompatibleFeatures: 4n }, 'data-file'],
  ['the name of a data file', { extensions: [{ type: 0x44415441, content: Buffer.from('/etc/passwd') }] }, 'data-file'],
  [
    'the name of a data file behind another extension',
    {
      extensions: [
        { type: 0x6803f857, content: Buffer.alloc(99) },
        { type: 0x44415441, content: Buffer.from('x') },
      ],
    },
    'data-file',
  ],
  ['a raw data file', { autoclearFeatures: 2n }, 'data-file'],
  ['AES encryption', { cryptMethod: 1 }, 'encrypted'],
  ['LUKS encryption', { cryptMethod: 2 }, 'encrypted'],
  ['an encryption header', { extensions: [{ type: 0x0537be77, content: Buffer.alloc(16) }] }, 'encrypted'],
  ['the mark of corruption', { incompatibleFeatures: 2n }, 'corrupt'],
  ['the mark of not being closed', { incompatibleFeatures: 1n }, 'not-closed'],
  ['an unknown feature', { incompatibleFeatures: 32n }, 'unknown-feature'],
  ['an unknown feature in the highest bit', { incompatibleFeatures: 1n << 63n }, 'unknown-feature'],
  ['an unknown compression', { incompatibleFeatures: 8n, compressionType: 2 }, 'unknown-feature'],
  ['a compression without its feature', { compressionType: 1 }, 'unknown-feature'],
  ['version 1', { version: 1 }, 'unsupported-version'],
  ['version 4', { version: 4 }, 'unsupported-version'],
  ['clusters of 256 bytes', { clusterBits: 8 }, 'malformed-header'],
  ['clusters of 4 MiB', { clusterBits: 22 }, 'malformed-header'],
  ['clusters of 2^4294967295 bytes', { clusterBits: 0xffffffff }, 'malformed-header'],
  ['subclusters in clusters of 8 KiB', { incompatibleFeatures: 16n, clusterBits: 13 }, 'malformed-header'],
  ['refcounts of 128 bits', { refcountOrder: 7 }, 'malformed-header'],
  ['a header of 96 bytes', { headerLength: 96 }, 'malformed-header'],
  ['a header longer than its cluster', { headerLength: 65_544 }, 'malformed-header'],
  ['a disk of no size', { virtualBytes: 0n }, 'virtual-size'],
  ['a disk above the limit', { virtualBytes: 16n * (1n << 40n) + 1n }, 'virtual-size'],
  ['a disk of 2^64 - 1 bytes', { virtualBytes: 0xffffffffffffffffn }, 'virtual-size'],
  ['an L1 table too small for its disk', { virtualBytes: 1n << 32n }, 'malformed-header'],
  ['an L1 table above 32 MiB', { l1Entries: 4_194_305 }, 'malformed-header'],
  ['an L1 table behind the end', { l1TableOffset: 4n * 65_536n }, 'table-out-of-bounds'],
  ['an L1 table far behind the end', { l1TableOffset: 0xffffffffffff0000n }, 'table-out-of-bounds'],
  ['an L1 table in the header', { l1TableOffset: 0n }, 'table-out-of-bounds'],
  ['an L1 table that is not aligned', { l1TableOffset: 3n * 65_536n + 8n }, 'malformed-header'],
  ['no refcount table', { refcountTableClusters: 0 }, 'malformed-header'],
  ['a refcount table above 8 MiB', { refcountTableClusters: 129 }, 'malformed-header'],
  ['a refcount table behind the end', { refcountTableOffset: 1n << 40n }, 'table-out-of-bounds'],
  ['too many snapshots', { snapshots: 65_537, snapshotsOffset: 65_536n }, 'malformed-header'],
  ['a snapshot table behind the end', { snapshots: 65_536, snapshotsOffset: 2n * 65_536n }, 'table-out-of-bounds'],
  ['a bitmap directory behind the end', { extensions: [bitmaps(64n, 1n << 40n)] }, 'table-out-of-bounds'],
  ['a bitmap directory of absurd length', { extensions: [bitmaps(1n << 63n, 65_536n)] }, 'table-out-of-bounds'],
  ['no bitmaps where it says so', { extensions: [bitmaps(64n, 65_536n, 0)] }, 'malformed-header'],
  [
    'an extension longer than its cluster',
    { extensions: [{ type: 7, content: Buffer.alloc(8), length: 65_536 }] },
    'malformed-header',
  ],
  [
    'an extension of 2^32 - 1 bytes',
    { extensions: [{ type: 7, content: Buffer.alloc(8), length: 0xffffffff }] },
    'malformed-header',
  ],
]

it.each(refused)('refuses %s', (_, spoilt, code) => {
  expect(verdict(qcow2File(spoilt))).toBe(code)
})

const taken: [string, Partial<Qcow2Sample>][] = [
  ['version 2', { version: 2, headerLength: 72, incompatibleFeatures: 0n }],
  ['zstd compression', { incompatibleFeatures: 8n, compressionType: 1 }],
  ['subclusters', { incompatibleFeatures: 16n, l1Entries: 4 }],
  ['snapshots within the file', { snapshots: 2, snapshotsOffset: 2n * 65_536n }],
  ['bitmaps within the file', { extensions: [bitmaps(64n, 2n * 65_536n)] }],
  ['an unknown extension, which the format allows', { extensions: [{ type: 0x12345678, content: Buffer.alloc(13) }] }],
  [
    'the largest disk allowed',
    {
      clusterBits: 21,
      virtualBytes: 16n << 40n,
      l1Entries: 32,
      l1TableOffset: 4n << 20n,
      refcountTableOffset: 2n << 20n,
      fileBytes: 6 << 20,
    },
  ],
]

it.each(taken)('takes %s', (_, spoilt) => {
  expect(verdict(qcow2File(spoilt))).toBe(Number({ ...validSample, ...spoilt }.virtualBytes))
})

describe('a file that ends too soon', () => {
  it.each([0, 3, 8, 71, 103, 112, 115])('of %i bytes is refused', (bytes) => {
    const file = qcow2File({ extensions: [{ type: 7, content: Buffer.alloc(8) }] }).subarray(0, bytes)
    expect(['not-qcow2', 'truncated']).toContain(verdict(file))
  })

  it('within its tables is refused', () => {
    expect(verdict(qcow2File().subarray(0, 3 * 65_536 + 15))).toBe('table-out-of-bounds')
  })
})

it('refuses a bad header before the rest of the file was sent', () => {
  const inspector = inspectorOf('qcow2', limits)
  expect(() => inspector.take(qcow2File({ backingFileOffset: 512n }).subarray(0, 112))).toThrow(ImageRefused)
})

const anyNumber = (bits: 32 | 64) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: 70_000n }),
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
    fc.integer({ min: 0, max: bits - 1 }).map((bit) => 1n << BigInt(bit)),
  )
const int32 = anyNumber(32).map(Number)
const aligned = fc.oneof(
  anyNumber(64),
  fc.bigInt({ min: 0n, max: 6n }).map((cluster) => cluster * 65_536n),
)

const fields = {
  version: fc.constantFrom(2, 3, 1),
  backingFileOffset: aligned,
  clusterBits: fc.oneof(fc.integer({ min: 8, max: 22 }), int32),
  virtualBytes: anyNumber(64),
  cryptMethod: int32,
  l1Entries: int32,
  l1TableOffset: aligned,
  refcountTableOffset: aligned,
  refcountTableClusters: int32,
  snapshots: int32,
  snapshotsOffset: aligned,
  incompatibleFeatures: anyNumber(64),
  autoclearFeatures: anyNumber(64),
  refcountOrder: fc.integer({ min: 0, max: 8 }),
  compressionType: fc.integer({ min: 0, max: 3 }),
}

/** A valid image with up to three fields spoilt, so that a good part of them stays valid. */
const anySample = fc
  .tuple(fc.subarray(Object.keys(fields) as (keyof typeof fields)[], { maxLength: 3 }), fc.record(fields))
  .map(([names, values]): Partial<Qcow2Sample> => Object.assign({}, ...names.map((name) => ({ [name]: values[name] }))))

describe('whatever its header says', () => {
  it('an image that is taken opens no other file, needs no key, and has its tables within itself', () => {
    let takenCount = 0
    fc.assert(
      fc.property(anySample, (spoilt) => {
        const file = qcow2File(spoilt)
        if (typeof verdict(file) === 'string') return
        takenCount++
        const header = readQcow2Header(file)
        expect(header.backingFileOffset).toBe(0n)
        expect(header.cryptMethod).toBe(0)
        expect(header.incompatibleFeatures & ~24n).toBe(0n)
        expect(header.virtualBytes <= BigInt(limits.virtualBytes)).toBe(true)
        expect(header.l1TableOffset + BigInt(header.l1Entries) * 8n <= BigInt(file.length)).toBe(true)
        expect(
          header.refcountTableOffset + (BigInt(header.refcountTableClusters) << BigInt(header.clusterBits)) <=
            BigInt(file.length),
        ).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(takenCount).toBeGreaterThan(20)
  })

  it('the verdict does not depend on how the stream is cut', () => {
    fc.assert(
      fc.property(anySample, fc.integer({ min: 37, max: 70_000 }), (spoilt, chunkBytes) => {
        const file = qcow2File(spoilt)
        expect(verdict(file, chunkBytes)).toBe(verdict(file, file.length))
      }),
      { numRuns: 300 },
    )
  })

  it('bytes spoilt anywhere in the first cluster lead to a verdict, never to a crash', () => {
    const spoils = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(spoils, (pairs) => {
        const file = qcow2File({ extensions: [{ type: 0x6803f857, content: Buffer.alloc(96) }, bitmaps(64n, 65_536n)] })
        for (const [at, value] of pairs) file[at] = value
        expect(['number', 'string']).toContain(typeof verdict(file))
      }),
      { numRuns: 3000 },
    )
  })

  it('random bytes lead to a verdict', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const file = Buffer.from(bytes)
        expect(verdict(file)).toBe('not-qcow2')
        if (file.length >= 8) Buffer.from('QFI\xfb\0\0\0\x03', 'latin1').copy(file)
        expect(typeof verdict(file)).toBe('string')
      }),
    )
  })
})
