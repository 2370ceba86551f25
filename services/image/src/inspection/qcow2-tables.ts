import { ImageRefused } from './image-refused.js'
import { incompatible, malformed, type Qcow2Header } from './qcow2-header.js'

const extension = {
  end: 0,
  backingFormat: 0xe2792aca,
  dataFileName: 0x44415441,
  encryption: 0x0537be77,
  bitmaps: 0x23852875,
} as const

/** QEMU's own limits (block/qcow2.h): it refuses to open what exceeds them. */
const maxL1TableBytes = 32n << 20n
const maxRefcountTableBytes = 8n << 20n
const maxSnapshots = 65_536
const maxFileOffset = 2n ** 62n
const leastSnapshotEntryBytes = 40n
const maxBitmaps = 65_535

/** A table that an extension says is somewhere in the file. */
export interface Qcow2Extensions {
  bitmapDirectory?: { offset: bigint; bytes: bigint }
}

/**
 * Walks the header extensions: they lie between the header's end and the end of the first cluster, or a zero type.
 * `head` must hold the first `extensionAreaBytes(header)` bytes, or the whole file where that is shorter.
 */
export function readQcow2Extensions(head: Buffer, header: Qcow2Header): Qcow2Extensions {
  const areaEnd = Math.min(2 ** header.clusterBits, extensionAreaLimitBytes)
  const found: Qcow2Extensions = {}
  let position = header.headerLength
  while (position + 8 <= areaEnd) {
    if (position + 8 > head.length) throw new ImageRefused('truncated', 'The qcow2 image ends within its header extensions.')
    const type = head.readUInt32BE(position)
    const length = head.readUInt32BE(position + 4)
    if (type === extension.end) return found
    const next = position + 8 + Math.ceil(length / 8) * 8
    if (next > areaEnd) throw malformed('a header extension is longer than its cluster')
    if (next > head.length) throw new ImageRefused('truncated', 'The qcow2 image ends within its header extensions.')
    takeExtension(type, head.subarray(position + 8, position + 8 + length), found)
    position = next
  }
  return found
}

/** Real headers need some hundred bytes here; clusters may be 2 MiB, and no more than this is kept of them. */
const extensionAreaLimitBytes = 65_536

export function extensionAreaBytes(header: Qcow2Header): number {
  return Math.min(2 ** header.clusterBits, extensionAreaLimitBytes)
}

function takeExtension(type: number, content: Buffer, found: Qcow2Extensions): void {
  if (type === extension.backingFormat) {
    throw new ImageRefused(
      'backing-file',
      'The qcow2 image names the format of a backing file. Flatten it first: qemu-img convert.',
    )
  }
  if (type === extension.dataFileName) {
    throw new ImageRefused('data-file', 'The qcow2 image names an external data file. Join them first: qemu-img convert.')
  }
  if (type === extension.encryption) throw new ImageRefused('encrypted', 'Encrypted qcow2 images are not supported.')
  if (type === extension.bitmaps) found.bitmapDirectory = readBitmaps(content, found)
}

function readBitmaps(content: Buffer, found: Qcow2Extensions) {
  if (found.bitmapDirectory || content.length !== 24) throw malformed('its bitmaps extension')
  const count = content.readUInt32BE(0)
  if (count === 0 || count > maxBitmaps) throw malformed(`it says that it has ${count} bitmaps`)
  return { bytes: content.readBigUInt64BE(8), offset: content.readBigUInt64BE(16) }
}

/**
 * Whether every table that QEMU loads when it opens the image lies in the file, aligned, and of a sane size.
 * @param fileBytes the whole file's size
 */
export function checkQcow2Tables(header: Qcow2Header, extensions: Qcow2Extensions, fileBytes: number): void {
  const clusterBytes = 1n << BigInt(header.clusterBits)
  const within = (name: string, offset: bigint, bytes: bigint, alignment = clusterBytes) => {
    if (offset % alignment !== 0n) throw malformed(`its ${name} does not begin with a cluster`)
    if (offset < clusterBytes || offset + bytes > BigInt(fileBytes)) {
      throw new ImageRefused(
        'table-out-of-bounds',
        `The qcow2 image is truncated or malformed: its ${name} lies outside of the file.`,
      )
    }
  }
  within('L1 table', header.l1TableOffset, checkedL1Bytes(header, clusterBytes))
  within('refcount table', header.refcountTableOffset, checkedRefcountBytes(header, clusterBytes))
  if (header.snapshots > maxSnapshots) throw malformed(`it says that it has ${header.snapshots} snapshots`)
  // QEMU wants a sound offset even where there are no snapshots, but it may be one that was left behind.
  if (header.snapshotsOffset % clusterBytes !== 0n || header.snapshotsOffset > maxFileOffset)
    throw malformed('its snapshot table')
  // Entries vary in length; this is the least they take.
  if (header.snapshots > 0) within('snapshot table', header.snapshotsOffset, BigInt(header.snapshots) * leastSnapshotEntryBytes)
  const bitmaps = extensions.bitmapDirectory
  if (bitmaps) within('bitmap directory', bitmaps.offset, bitmaps.bytes)
}

function checkedL1Bytes(header: Qcow2Header, clusterBytes: bigint): bigint {
  const entryBytes = header.incompatibleFeatures & incompatible.extendedL2 ? 16n : 8n
  const bytesAnL1Entry = (clusterBytes / entryBytes) * clusterBytes
  const needed = (header.virtualBytes + bytesAnL1Entry - 1n) / bytesAnL1Entry
  const bytes = BigInt(header.l1Entries) * 8n
  if (bytes > maxL1TableBytes) throw malformed(`its L1 table has ${header.l1Entries} entries`)
  if (BigInt(header.l1Entries) < needed) throw malformed('its L1 table is too small for the size of its disk')
  return bytes
}

function checkedRefcountBytes(header: Qcow2Header, clusterBytes: bigint): bigint {
  const bytes = BigInt(header.refcountTableClusters) * clusterBytes
  if (bytes === 0n) throw malformed('it has no refcount table')
  if (bytes > maxRefcountTableBytes) throw malformed(`its refcount table has ${header.refcountTableClusters} clusters`)
  return bytes
}
