import { ImageRefused } from './image-refused.js'

/**
 * The header of a qcow2 file, versions 2 and 3 (qemu: docs/interop/qcow2.rst). All numbers are big-endian.
 * 64-bit fields stay bigint: an attacker fills them freely, and 2^53 is no limit of theirs.
 */
export interface Qcow2Header {
  version: 2 | 3
  backingFileOffset: bigint
  clusterBits: number
  virtualBytes: bigint
  cryptMethod: number
  l1Entries: number
  l1TableOffset: bigint
  refcountTableOffset: bigint
  refcountTableClusters: number
  snapshots: number
  snapshotsOffset: bigint
  incompatibleFeatures: bigint
  autoclearFeatures: bigint
  refcountOrder: number
  headerLength: number
  compressionType: number
}

/** Enough to read every field below. A header's own length may be more. */
export const qcow2FixedHeaderBytes = 112
const version2HeaderBytes = 72
const version3HeaderBytes = 104

export const qcow2Magic = Buffer.from([0x51, 0x46, 0x49, 0xfb])

export const incompatible = { dirty: 1n, corrupt: 2n, dataFile: 4n, compressionType: 8n, extendedL2: 16n } as const
const knownIncompatible = 31n
const autoclearRawDataFile = 2n

/** Reads the fields. Throws `ImageRefused` where `head` is no qcow2 of a version that is known, or ends too soon. */
export function readQcow2Header(head: Buffer): Qcow2Header {
  if (head.length < 8 || !head.subarray(0, 4).equals(qcow2Magic)) {
    throw new ImageRefused('not-qcow2', 'The file is not a qcow2 image, although its disk_format says so.')
  }
  const version = head.readUInt32BE(4)
  if (version !== 2 && version !== 3) {
    throw new ImageRefused('unsupported-version', `qcow2 version ${version} is not supported, only 2 and 3 are.`)
  }
  if (head.length < (version === 2 ? version2HeaderBytes : version3HeaderBytes)) {
    throw new ImageRefused('truncated', 'The qcow2 image ends within its header.')
  }
  return {
    version,
    backingFileOffset: head.readBigUInt64BE(8),
    clusterBits: head.readUInt32BE(20),
    virtualBytes: head.readBigUInt64BE(24),
    cryptMethod: head.readUInt32BE(32),
    l1Entries: head.readUInt32BE(36),
    l1TableOffset: head.readBigUInt64BE(40),
    refcountTableOffset: head.readBigUInt64BE(48),
    refcountTableClusters: head.readUInt32BE(56),
    snapshots: head.readUInt32BE(60),
    snapshotsOffset: head.readBigUInt64BE(64),
    ...(version === 2 ? version2Defaults : readVersion3Fields(head)),
  }
}

const version2Defaults = {
  incompatibleFeatures: 0n,
  autoclearFeatures: 0n,
  refcountOrder: 4,
  headerLength: version2HeaderBytes,
  compressionType: 0,
}

function readVersion3Fields(head: Buffer) {
  const headerLength = head.readUInt32BE(100)
  return {
    incompatibleFeatures: head.readBigUInt64BE(72),
    autoclearFeatures: head.readBigUInt64BE(88),
    refcountOrder: head.readUInt32BE(96),
    headerLength,
    compressionType: headerLength > 104 && head.length > 104 ? head[104]! : 0,
  }
}

/** Refuses what would have QEMU open another file, needs a key, or was left half written; then what no sane writer makes. */
export function checkQcow2Header(header: Qcow2Header, limits: { virtualBytes: number }): void {
  checkSafety(header)
  checkGeometry(header)
  checkVirtualSize(header, limits.virtualBytes)
}

function checkSafety(header: Qcow2Header): void {
  const features = header.incompatibleFeatures
  if (header.backingFileOffset !== 0n) {
    throw new ImageRefused('backing-file', 'The qcow2 image has a backing file. Flatten it first: qemu-img convert -O qcow2.')
  }
  if (features & incompatible.dataFile || header.autoclearFeatures & autoclearRawDataFile) {
    throw new ImageRefused(
      'data-file',
      'The qcow2 image keeps its data in another file. Join them first: qemu-img convert -O qcow2.',
    )
  }
  if (header.cryptMethod !== 0) throw new ImageRefused('encrypted', 'Encrypted qcow2 images are not supported.')
  if (features & ~knownIncompatible) {
    throw new ImageRefused('unknown-feature', 'The qcow2 image needs features that are not known here.')
  }
  if (features & incompatible.corrupt) throw new ImageRefused('corrupt', 'The qcow2 image is marked as corrupt.')
  if (features & incompatible.dirty) {
    throw new ImageRefused(
      'not-closed',
      'The qcow2 image was copied while in use or not closed. Repair it first: qemu-img check -r all.',
    )
  }
  const needsCompressionBit = header.compressionType !== 0
  if (header.compressionType > 1 || needsCompressionBit !== Boolean(features & incompatible.compressionType)) {
    throw new ImageRefused('unknown-feature', 'The qcow2 image is compressed in a way that is not known here.')
  }
}

function checkGeometry(header: Qcow2Header): void {
  const { clusterBits, headerLength, refcountOrder } = header
  if (clusterBits < 9 || clusterBits > 21) throw malformed(`cluster_bits is ${clusterBits}, not between 9 and 21`)
  if (header.incompatibleFeatures & incompatible.extendedL2 && clusterBits < 14) {
    throw malformed('extended L2 entries need clusters of 16 KiB or more')
  }
  if (refcountOrder > 6) throw malformed(`refcount_order is ${refcountOrder}, above 6`)
  const leastLength = header.version === 2 ? version2HeaderBytes : version3HeaderBytes
  if (headerLength < leastLength || headerLength % 8 !== 0 || headerLength > 2 ** clusterBits) {
    throw malformed(`header_length is ${headerLength}`)
  }
}

function checkVirtualSize(header: Qcow2Header, limitBytes: number): void {
  if (header.virtualBytes === 0n) throw new ImageRefused('virtual-size', 'The qcow2 image describes a disk of no size.')
  if (header.virtualBytes > BigInt(limitBytes)) {
    throw new ImageRefused(
      'virtual-size',
      `The qcow2 image describes a disk of ${header.virtualBytes} bytes, more than the ${limitBytes} bytes allowed here.`,
    )
  }
}

export function malformed(what: string): ImageRefused {
  return new ImageRefused('malformed-header', `The qcow2 image is malformed: ${what}.`)
}
