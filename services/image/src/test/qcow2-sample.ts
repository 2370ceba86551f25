import { qcow2Magic } from '../inspection/qcow2-header.js'

/** The fields of a small, valid version 3 image, to be spoilt one by one by the tests. */
export interface Qcow2Sample {
  version: number
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
  extensions: { type: number; content: Buffer; length?: number }[]
  fileBytes: number
}

const clusterBytes = 65_536n

export const validSample: Qcow2Sample = {
  version: 3,
  backingFileOffset: 0n,
  clusterBits: 16,
  virtualBytes: 1n << 30n,
  cryptMethod: 0,
  l1Entries: 2,
  l1TableOffset: 3n * clusterBytes,
  refcountTableOffset: clusterBytes,
  refcountTableClusters: 1,
  snapshots: 0,
  snapshotsOffset: 0n,
  incompatibleFeatures: 0n,
  autoclearFeatures: 0n,
  refcountOrder: 4,
  headerLength: 112,
  compressionType: 0,
  extensions: [],
  fileBytes: Number(4n * clusterBytes),
}

/** A file with that header and extensions, and zeros for its tables. */
export function qcow2File(spoilt: Partial<Qcow2Sample> = {}): Buffer {
  const sample = { ...validSample, ...spoilt }
  const file = Buffer.alloc(sample.fileBytes)
  const header = Buffer.alloc(112)
  qcow2Magic.copy(header, 0)
  header.writeUInt32BE(sample.version, 4)
  header.writeBigUInt64BE(sample.backingFileOffset, 8)
  header.writeUInt32BE(sample.clusterBits, 20)
  header.writeBigUInt64BE(sample.virtualBytes, 24)
  header.writeUInt32BE(sample.cryptMethod, 32)
  header.writeUInt32BE(sample.l1Entries, 36)
  header.writeBigUInt64BE(sample.l1TableOffset, 40)
  header.writeBigUInt64BE(sample.refcountTableOffset, 48)
  header.writeUInt32BE(sample.refcountTableClusters, 56)
  header.writeUInt32BE(sample.snapshots, 60)
  header.writeBigUInt64BE(sample.snapshotsOffset, 64)
  header.writeBigUInt64BE(sample.incompatibleFeatures, 72)
  header.writeBigUInt64BE(sample.autoclearFeatures, 88)
  header.writeUInt32BE(sample.refcountOrder, 96)
  header.writeUInt32BE(sample.headerLength, 100)
  header[104] = sample.compressionType
  header.copy(file, 0)
  let position = sample.headerLength
  for (const { type, content, length } of sample.extensions) {
    file.writeUInt32BE(type, position)
    file.writeUInt32BE(length ?? content.length, position + 4)
    content.copy(file, position + 8)
    position += 8 + Math.ceil(content.length / 8) * 8
  }
  return file
}
